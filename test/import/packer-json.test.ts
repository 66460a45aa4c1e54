// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of a spec
import { expect, test } from "vitest";
import { parse } from "yaml";
import { imported, jsonWith, mistakesIn, toldOf } from "./reading.ts";

test("the smallest template becomes a valid spec, with nothing left over", async () => {
  const { text, leftovers } = imported(jsonWith({}));
  expect(leftovers).toEqual([]);
  expect(await mistakesIn(text)).toEqual([]);
  expect(parse(text)).toEqual({
    imgspec: 1,
    name: "web",
    source: { image: "ami-0123456789abcdef0" },
    launch: { instanceTypes: ["m3.medium"] },
    connect: { user: "ec2-user" },
    upload: { bucket: "acme-images" },
    regions: { "us-east-1": {} },
  });
});

test("secrets are in no spec and in nothing that is told, wherever they stand", () => {
  const { text, leftovers } = imported(
    jsonWith(
      {
        access_key: "AKIAIOSFODNN7EXAMPLE",
        secret_key: "SECRET-1",
        token: "SECRET-2",
        ssh_password: "SECRET-3",
        ssh_bastion_password: "SECRET-4",
        ssh_proxy_host: "proxy",
        ssh_proxy_username: "me",
        ssh_proxy_password: "{{user `proxy`}}",
        ami_description: "{{user `key`}}",
      },
      {
        variables: { proxy: "SECRET-5", key: "AKIAIOSFODNN7EXAMPLE", db_password: "SECRET-6" },
        provisioners: [{ type: "shell", inline: ["x"], environment_vars: ["P={{user `db_password`}}"] }],
      },
    ),
  );
  expect(text + toldOf(leftovers)).not.toMatch(/SECRET-|AKIA/);
  const { connect, variables } = parse(text);
  expect(variables).toEqual({
    proxy: { sensitive: true },
    key: { sensitive: true },
    db_password: { sensitive: true },
    ssh_password: { sensitive: true },
  });
  expect(connect).toMatchObject({
    password: "${{ vars.ssh_password }}",
    proxy: { url: "socks5://proxy:1080", user: "me", password: "${{ vars.proxy }}" },
  });
});

test("several builders are an error that names them, unless one is chosen", () => {
  const builders = ["a", "b"].map((name) => ({ type: "amazon-instance", name, region: "us-east-1" }));
  const template = { path: "two.json", content: JSON.stringify({ builders }) };
  expect(() => imported(template)).toThrow("several amazon-instance builders: a, b");
  expect(() => imported(template, "c")).toThrow('no amazon-instance builder "c"');
  expect(parse(imported(template, "b").text).name).toBe("b");
});

test("a template without such a builder, or none at all, is an error", () => {
  const ebs = { path: "ebs.json", content: '{ "builders": [{ "type": "amazon-ebs" }] }' };
  expect(() => imported(ebs)).toThrow("no builder of type amazon-instance");
  expect(() => imported({ path: "x.json", content: "[1" })).toThrow("no template of Packer");
});

test.each([
  ["acme-images", undefined, { bucket: "acme-images" }],
  ["acme-images/web", undefined, { bucket: "acme-images", prefix: "web/<id>" }],
  ["acme-images/web", "one", { bucket: "acme-images", prefix: "web/<id>" }],
  ["acme-images", "image-{{timestamp}}", { bucket: "acme-images", prefix: "" }],
  ["acme-images/web", "old/image-{{timestamp}}", { bucket: "acme-images", prefix: "web/old" }],
])("bucket %s and prefix %s go to places that are new in each run", (s3_bucket, bundle_prefix, expected) => {
  const { upload } = parse(imported(jsonWith({ s3_bucket, bundle_prefix })).text);
  expect(JSON.parse(JSON.stringify(upload).replace("${{ build.id }}", "<id>"))).toEqual(expected);
});

test("commands of one's own are kept for the AMI tools, with imgspec's words in them", async () => {
  const { text } = imported(
    jsonWith({
      iam_instance_profile: "image-builder",
      bundle_destination: "/mnt",
      bundle_vol_command:
        "sudo -i -n ec2-bundle-vol -k {{.KeyPath}} -u {{.AccountId}} -c {{.CertPath}} -r {{.Architecture}} -e {{.PrivatePath}}/* -d {{.Destination}} -p {{.Prefix}} --batch",
      bundle_upload_command:
        "sudo -n ec2-upload-bundle -b {{.BucketName}} -m {{.ManifestPath}} -d {{.BundleDirectory}} --region {{.Region}}",
    }),
  );
  expect(await mistakesIn(text)).toEqual([]);
  expect(parse(text).bundle).toEqual({
    method: "ami-tools",
    amiTools: {
      destination: "/mnt",
      bundleCommand:
        "ec2-bundle-vol -k {privateKey} -u {account} -c {certificate} -r {architecture} -e {exclude} -d {destination} -p {name} --batch",
      uploadCommand: "ec2-upload-bundle -b {bucket} -m {manifest} -d {directory} --region {region}",
    },
  });
});

test("paths stay what they were when the spec is elsewhere", async () => {
  const { readJsonTemplate } = await import("../../src/import/packer-json.ts");
  const { toImageSpec } = await import("../../src/import/to-image-spec.ts");
  const { content } = jsonWith(
    { x509_cert_path: "/keys/cert.pem", x509_key_path: "{{template_dir}}/pk.pem" },
    { provisioners: [{ type: "file", source: "files/", destination: "/srv" }] },
  );
  const template = readJsonTemplate({ path: "/srv/packer/web.json", content });
  const { certificate, provision } = parse(toImageSpec(template, "/srv/specs/web.yaml", undefined).text);
  expect(certificate).toEqual({ certificate: "/keys/cert.pem", privateKey: "../packer/pk.pem" });
  expect(provision).toEqual([{ upload: { from: "../packer/files/", to: "/srv" } }]);
});

test("a region that is left to the environment has to be written", async () => {
  const { text, leftovers } = imported(jsonWith({ region: "" }));
  expect(toldOf(leftovers)).toContain("the template leaves it to the environment");
  expect((await mistakesIn(text)).map(({ code }) => code)).toEqual(["region-missing"]);
});

test("tabs, comments in keys, numbers and flags that are off are as Packer takes them", () => {
  const content =
    '{\n\t"_c": 1,\n\t"builders": [\n\t\t{\n\t\t\t"type": "amazon-instance",\n\t\t\t"_why": "x",\n\t\t\t"ssh_port": 2222,\n\t\t\t"ebs_optimized": false,\n\t\t\t"spot_price": "0.1"\n\t\t}\n\t]\n}\n';
  const { text, leftovers } = imported({ path: "tabs.json", content });
  expect(parse(text).connect).toEqual({ port: 2222 });
  expect(leftovers.map(({ message, place }) => [message.split(":")[0], place.line])).toEqual([
    ["region", 4],
    ["spot_price", 9],
  ]);
});

test("who may reach the instance is carried over", async () => {
  const { text } = imported(jsonWith({ temporary_security_group_source_cidrs: ["203.0.113.0/24"] }));
  expect(parse(text).launch).toEqual({ instanceTypes: ["m3.medium"], allowFrom: ["203.0.113.0/24"] });
  expect(await mistakesIn(text)).toEqual([]);
});
