import { expect, test } from "vitest";
import { imageOf, least, nativeOf, refusalOf, specOf } from "./reading.ts";

test("what a spec leaves open is filled in", async () => {
  const { images, directory, name, secrets } = await specOf(`${least}regions: { us-east-1: {} }\n`);
  expect({ name, secrets }).toEqual({ name: "web", secrets: new Map() });
  expect(directory).toMatch(/^\//);
  expect(images).toEqual([
    {
      name: "web",
      region: { name: "us-east-1", partition: "aws", dnsSuffix: "amazonaws.com", certificate: "commercial" },
      profile: null,
      source: { kind: "image", image: "ami-0123456789abcdef0" },
      launch: {
        method: "ec2",
        instanceTypes: ["m3.medium"],
        keyPair: null,
        subnet: null,
        securityGroups: [],
        allowFrom: [],
        iamInstanceProfile: null,
        userData: null,
        metadataTokens: null,
        tags: {},
        timeoutSeconds: 600,
      },
      connect: {
        user: "ec2-user",
        port: 22,
        address: "public",
        hostKey: "auto",
        timeoutSeconds: 300,
        privateKey: null,
        agent: false,
        password: null,
        sudoPassword: null,
        proxy: null,
        bastions: [],
      },
      provision: [],
      bundle: {
        method: "native",
        at: "auto",
        name: "image",
        image: {
          partition: "auto",
          sizeMib: null,
          exclude: ["tmp", "var/tmp", "proc", "sys", "run", "mnt", "media"].map((path) => `/${path}/**`),
          include: [],
          fstab: "keep",
          hygiene: {
            authorizedKeys: "keep",
            sshHostKeys: "scrub",
            machineId: "scrub",
            shellHistories: "scrub",
            cloudInit: "scrub",
            cloudCredentials: "refuse",
            privateKeys: "refuse",
            logs: "keep",
          },
          allow: [],
          script: null,
        },
        needs: "refuse",
        compression: null,
      },
      certificate: { ec2: null, allowMismatch: false, user: null },
      upload: {
        method: "s3",
        bucket: "acme-images",
        prefix: "web/20261122-213330-k3v9",
        acl: "aws-exec-read",
        concurrency: 4,
      },
      register: {
        method: "instance-store",
        name: "web-20261122-213330-k3v9",
        description: null,
        architecture: null,
        virtualization: null,
        kernel: null,
        ramdisk: null,
        enaSupport: null,
        sriovNetSupport: null,
        metadataTokens: null,
        blockDeviceMappings: [],
        tags: {},
      },
      variant: null,
      publish: null,
      verify: null,
    },
  ]);
});

test("steps in their short and their long form become the same", async () => {
  const { provision } = await imageOf(`provision:
  - local: echo one
  - local: { command: echo one, timeout: 90s, env: { A: b } }
  - shell: { inline: "#!/bin/sh\\n\\n  make install  \\n", workdir: /srv, retries: 2, exitCodes: [0, 3], sudo: true }
  - shell: image.yaml
  - upload: { from: ., to: /srv, mode: "0755", sudo: true }
  - download: { from: /etc/hosts, to: out/hosts }`);
  expect(provision.map(({ kind, title, label }) => `${label} ${kind} ${title}`)).toEqual([
    "provision[0] local echo one",
    "provision[1] local echo one",
    "provision[2] shell make install",
    "provision[3] shell image.yaml",
    "provision[4] upload . to /srv",
    "provision[5] download /etc/hosts to out/hosts",
  ]);
  expect(provision[0]).toMatchObject({ command: "echo one", timeoutSeconds: 3600, env: {}, retries: 0 });
  expect(provision[1]).toMatchObject({ command: "echo one", timeoutSeconds: 90, env: { A: "b" } });
  expect(provision[2]).toMatchObject({ workdir: "/srv", retries: 2, exitCodes: [0, 3], sudo: true });
  expect(provision[3]).toMatchObject({ script: { path: expect.stringMatching(/^\/.*\/image\.yaml$/) } });
  expect(provision[4]).toMatchObject({ from: expect.stringMatching(/^\//), mode: "0755", sudo: true });
  expect(provision[5]).toMatchObject({ from: "/etc/hosts", to: expect.stringMatching(/^\/.*\/out\/hosts$/) });
});

test("owners, filters and block devices may be written in either way", async () => {
  const source = "source: { find: { owner: amazon, filters: { state: available, a: [b, c] } } }";
  const { images } = await specOf(`${least.replace(/source:.*/, source)}
register: { blockDeviceMappings: { /dev/sdb: ephemeral0 } }
regions:
  us-east-1: {}
  us-west-2:
    source: { find: { owner: [self, "123456789012"] } }
    register: { blockDeviceMappings: [{ device: sdc, virtual: ephemeral1 }] }
`);
  expect(images.map((image) => image.source)).toMatchObject([
    { kind: "find", owners: ["amazon"], filters: { state: ["available"], a: ["b", "c"] }, newest: false },
    { kind: "find", owners: ["self", "123456789012"] },
  ]);
  expect(images.map((image) => image.register.blockDeviceMappings)).toEqual([
    [{ device: "/dev/sdb", virtual: "ephemeral0" }],
    [{ device: "sdc", virtual: "ephemeral1" }],
  ]);
});

test("sizes, paths and certificates are told apart from words", async () => {
  const certificate = "certificate: { ec2: image.yaml, certificate: image.yaml, privateKey: ./image.yaml }";
  const own = await imageOf(`bundle: { size: 2GiB }\n${certificate}`);
  const path = expect.stringMatching(/^\/.*\/image\.yaml$/);
  expect(nativeOf(own).image.sizeMib).toBe(2048);
  expect(own.certificate).toEqual({
    ec2: { path },
    allowMismatch: false,
    user: { certificate: path, privateKey: path },
  });
  const built = await imageOf("bundle: { size: 512MiB }\ncertificate: { ec2: commercial }");
  expect([nativeOf(built).image.sizeMib, built.certificate.ec2]).toEqual([512, "commercial"]);
});

test("a missing file and a directory are refused with their path", async () => {
  const { readSpec } = await import("../../src/spec/read-spec.ts");
  const options = { variables: {}, environment: {}, build: { id: "x", now: new Date(0) } };
  expect(await refusalOf(readSpec("/nowhere/image.yaml", options))).toEqual([
    'file-unreadable "/nowhere/image.yaml" does not exist (check the path, or write a first spec with: imgspec init)',
  ]);
  expect(await refusalOf(readSpec("/", options))).toEqual([
    'file-unreadable "/" is a directory (name a file in it)',
  ]);
});
