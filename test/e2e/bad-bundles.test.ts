import { appendFile, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { noise } from "../bundle/bundled.ts";
import { craft, tarOf } from "../help/craft.ts";
import { newTool, type Tool } from "../help/tool.ts";

const manifest = "web.manifest.xml";

/** Each way in which a bundle of three parts can be bad, and what the user is told. */
const bundles: readonly (readonly [what: string, spoil: (tool: Tool) => Promise<void>, told: RegExp])[] = [
  ["a missing part", (tool) => rm(tool.path("web.part.1")), /part 1 \(web\.part\.1\) is missing/],
  [
    "a truncated part",
    (tool) => truncate(tool.path("web.part.1"), 1000),
    /part 1 \(web\.part\.1\) has SHA-1/,
  ],
  ["an empty part", (tool) => truncate(tool.path("web.part.2"), 0), /part 2 \(web\.part\.2\) has SHA-1/],
  [
    "a part that is longer",
    (tool) => appendFile(tool.path("web.part.2"), "x"),
    /part 2 \(web\.part\.2\) has SHA-1/,
  ],
  [
    "a part over 10 MiB",
    (tool) => appendFile(tool.path("web.part.0"), "x"),
    /part 0 .* is larger than 10 MiB/,
  ],
  ["a flipped bit", (tool) => flip(tool.path("web.part.1"), 5000), /part 1 \(web\.part\.1\) has SHA-1/],
  ["swapped parts", swap, /part 0 \(web\.part\.0\) has SHA-1/],
  ["a manifest with a DTD", edit(/\?>/, "?><!DOCTYPE a>"), /a DTD has no place in a manifest/],
  ["entities that grow", edit(/\?>/, '?><!DOCTYPE a [<!ENTITY b "bb">]>'), /a DTD has no place/],
  ["an entity that nobody declared", edit(/<name>web</, "<name>&lol;<"), /undefined entity|entity/],
  [
    "a manifest that ends early",
    (tool) => truncate(tool.path(manifest), 900),
    /manifest, line 1, column \d+: /,
  ],
  ["an empty manifest", (tool) => truncate(tool.path(manifest), 0), /manifest, line 1/],
  ["a billion parts", edit(/count='\d+'/, "count='1000000000'"), /count says 1000000000 parts, there are 3/],
  [
    "a part with a billion as its index",
    edit(/index='2'/, "index='999999999'"),
    /have no, or more than one, index 2/,
  ],
  [
    "a part name that leaves the directory",
    edit(/web\.part\.1/, "../web.part.1"),
    /"\.\.\/web\.part\.1" is not a plain/,
  ],
  ["an absolute part name", edit(/web\.part\.1/, "/etc/passwd"), /"\/etc\/passwd" is not a plain file name/],
  ["a name that leaves the directory", edit(/<name>web</, "<name>../web<"), /"\.\.\/web" is not a plain/],
  ["another size of the image", edit(/<size>\d+/, "<size>22000001"), /the manifest says 22000001/],
  [
    "another bundled size",
    edit(/<bundled_size>\d+/, "<bundled_size>7"),
    /bytes together, the manifest says 7/,
  ],
  [
    "another digest",
    edit(/SHA1'>[0-9a-f]{40}/, `SHA1'>${"0".repeat(40)}`),
    /tar stream in the bundle has SHA-1/,
  ],
  ["the key of another bundle", otherKey, /do not decrypt to a gzip stream|not that of an image/],
  [
    "a key that is no RSA block",
    edit(/(user_encrypted_key[^>]*>)[0-9a-f]{512}/, "$100"),
    /does not open the bundle/,
  ],
];

test.each(bundles)(
  "%s: unbundle and verify end with 6 and say which; no file is left",
  async (_what, spoil, told) => {
    await using tool = await newTool();
    await bundleInto(tool);
    await spoil(tool);
    const before = await tool.files();
    for (const command of ["unbundle", "verify"]) {
      const { code, stdout, stderr } = await tool.run([command, manifest, "--privatekey", "pk-user.pem"]);
      expect([code, command === "verify" ? stdout + stderr : stderr]).toEqual([
        6,
        expect.stringMatching(told),
      ]);
      expect(await tool.files()).toEqual(before);
    }
  },
);

const image = noise(30_000);
const another = noise(500);

/** Tar streams that are cleanly digested, encrypted and listed, and are still not the image. */
const streams: readonly (readonly [what: string, tar: Buffer, told: string])[] = [
  ["a member that leaves the directory", tarOf(["../../evil", image]), 'its member is called "../../evil"'],
  ["an absolute member", tarOf(["/etc/cron.d/evil", image]), 'its member is called "/etc/cron.d/evil"'],
  ["a member in a folder", tarOf(["a/b", image]), 'its member is called "a/b"'],
  ["two members", tarOf(["web", image], ["web2", another]), "something follows the image"],
  ["a member of another size", tarOf(["web", another]), "its member has 500 bytes, the manifest says 30000"],
  ["no member", Buffer.alloc(10_240), "it does not begin with a tar header"],
  ["a link", tarOf(["web", image, "2"]), 'its member has type "2", not that of a file'],
];

test.each(streams)("%s is refused by unbundle and verify, and no file is left", async (_what, tar, told) => {
  await using tool = await newTool();
  await craft(tool.folder, "web", tar, image.length);
  const before = await tool.files();
  for (const command of ["unbundle", "verify"]) {
    const { code, stdout, stderr } = await tool.run([command, manifest, "--privatekey", "pk-user.pem"]);
    expect([code, stdout + stderr]).toEqual([6, expect.stringContaining(told)]);
    expect(await tool.files()).toEqual(before);
  }
});

test("a manifest of deep nesting, and one of 100 MB, cost neither memory nor time", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("deep.xml"), "<a>".repeat(5_000_000));
  await writeFile(tool.path("large.xml"), "<a>".repeat(35_000_000));
  for (const [name, told] of [
    ["deep.xml", "<a> is nested too deep"],
    ["large.xml", "large.xml is too large to be a manifest"],
  ] as const) {
    // A few times what Node needs to start, and a fraction of the file.
    const given = { shell: 'ulimit -t 20; NODE_OPTIONS=--max-old-space-size=64 exec "$@"' };
    const { code, stderr } = await tool.run(["inspect", name], given);
    expect([code, stderr]).toEqual([6, expect.stringContaining(told)]);
  }
});

test("a private key of somebody else, a certificate of somebody else, and what is neither, are told apart", async () => {
  await using tool = await newTool();
  await bundleInto(tool);
  await tool.run(["cert", "create", "--out-key", "other.pem", "--out-cert", "other-cert.pem"]);
  await writeFile(tool.path("noise.pem"), "hello");
  const results: string[] = [];
  for (const [key, certificate] of [
    ["other.pem", "cert-user.pem"],
    ["pk-user.pem", "other-cert.pem"],
    ["noise.pem", "cert-user.pem"],
    ["cert-user.pem", "cert-user.pem"],
    ["none.pem", "cert-user.pem"],
  ] as const) {
    const { code, stderr } = await tool.run(["unbundle", manifest, "-q", "-k", key, "-c", certificate]);
    results.push(`${code} ${stderr.split("\n")[0]}`);
  }
  expect(results).toEqual([
    "6 imgspec: this private key does not open the bundle: it was wrapped for another one",
    "6 imgspec: the manifest was not signed with the key of this certificate",
    "4 imgspec: the private key noise.pem is not PEM",
    "4 imgspec: the private key cert-user.pem cannot be read as PEM",
    "3 imgspec: cannot read the private key none.pem: there is no such file or directory",
  ]);
});

async function bundleInto(tool: Tool): Promise<void> {
  const given = { input: [noise(22_000_000)] };
  const from = [
    "bundle",
    "-",
    "--size",
    "22000000",
    "--prefix",
    "web",
    "--user",
    "123456789012",
    "--level",
    "1",
  ];
  const { code, stderr } = await tool.run([...from, "-q", "-c", "cert-user.pem", "-k", "pk-user.pem"], given);
  expect([code, stderr]).toEqual([0, ""]);
}

function edit(find: RegExp, replace: string): (tool: Tool) => Promise<void> {
  return async (tool) => {
    const before = await readFile(tool.path(manifest), "utf8");
    const after = before.replace(find, replace);
    expect(after).not.toBe(before);
    await writeFile(tool.path(manifest), after);
  };
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function swap(tool: Tool): Promise<void> {
  await rename(tool.path("web.part.0"), tool.path("kept"));
  await rename(tool.path("web.part.1"), tool.path("web.part.0"));
  await rename(tool.path("kept"), tool.path("web.part.1"));
}

/** Key and IV that fit the private key, but not these parts. */
async function otherKey(tool: Tool): Promise<void> {
  const bundle = await craft(tool.folder, "other", tarOf(["other", image]), image.length);
  const of = (text: string): string => /<user_encrypted_key.*<\/user_encrypted_iv>/.exec(text)?.[0] ?? "";
  await edit(/<user_encrypted_key.*<\/user_encrypted_iv>/, of(bundle))(tool);
}
