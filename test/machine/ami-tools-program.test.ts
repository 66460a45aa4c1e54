import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";

const program = new URL("../../templates/instance/ami-tools.sh", import.meta.url);
const tool = "#!/bin/sh\necho 1.5.19\n";

let directory: string;
const at = (...names: string[]): string => join(directory, ...names);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-install-"));
  await mkdir(at("bin"));
  // Nothing of this machine may be installed by a test.
  for (const name of ["apt-get", "yum", "dnf", "curl", "wget"]) await fake(name, "exit 1");
  return () => rm(directory, { recursive: true, force: true });
});

for (const shell of ["dash", "bash", "busybox sh"]) {
  test.skipIf(spawnSync("sh", ["-c", `${shell} -c true`]).status !== 0)(
    `the package is installed by the manager that is there, run by ${shell} (skipped where that is missing)`,
    async () => {
      await fake("dnf", `echo "$@" >>"${at("log")}"\n${installing}`);
      expect(prepare(shell)).toEqual({ code: 0, told: "" });
      expect(await readFile(at("log"), "utf8")).toBe("-y install aws-amitools-ec2\n");
    },
  );
}

test("where no package helps, the archive of the user guide is unpacked, if it has the SHA-256 that it must have", async () => {
  const sha256 = await newArchive();
  await fake("dnf", "exit 0");
  await fake("ruby", "exit 0");
  await fake("curl", `while [ "$1" != -o ]; do shift; done\ncp "${at("tools.zip")}" "$2"`);
  expect(prepare("sh", { archive_sha256: "0".repeat(64) })).toEqual({
    code: 69,
    told: `imgspec-problem: https://example.com/tools.zip has the SHA-256 ${sha256} instead of ${"0".repeat(64)}`,
  });
  expect(spawnSync("ls", [at("home")]).status).not.toBe(0);
  expect(prepare("sh", { archive_sha256: sha256 })).toEqual({ code: 0, told: "" });
});

const ruby = spawnSync("ruby", ["--version"]).status === 0;

test.skipIf(ruby)(
  "without Ruby and with no way to install it, that is what is missing (where no ruby is)",
  async () => {
    await fake("unzip", "exit 0");
    expect(prepare("sh")).toEqual({
      code: 69,
      told: "imgspec-missing: the AMI tools, and to install them: ruby",
    });
  },
);

test("tools that do not start, say for want of Ruby, are not taken for there", async () => {
  for (const name of ["ec2-bundle-vol", "ec2-upload-bundle"]) await fake(name, "exit 127");
  expect(prepare("sh")).toEqual({ code: 69, told: "imgspec-problem: ec2-bundle-vol does not start" });
});

const installing = `for name in ec2-bundle-vol ec2-upload-bundle; do
  printf '#!/bin/sh\\necho 1.5.19\\n' >"$(dirname "$0")/$name"
  chmod 755 "$(dirname "$0")/$name"
done`;

function fake(name: string, text: string): Promise<void> {
  return writeFile(at("bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** As the user guide's: a directory with the version in its name. Answers with its SHA-256. */
async function newArchive(): Promise<string> {
  await mkdir(at("zip/ec2-ami-tools-1.5.19/bin"), { recursive: true });
  for (const name of ["ec2-bundle-vol", "ec2-upload-bundle"])
    await writeFile(at("zip/ec2-ami-tools-1.5.19/bin", name), tool, { mode: 0o755 });
  // This unzip knows but one archive, which is a tar: what is tested is what comes before it.
  execFileSync("tar", ["-C", at("zip"), "-cf", at("tools.zip"), "."]);
  await fake("unzip", 'tar -C "$4" -xf "$5"');
  return execFileSync("sha256sum", [at("tools.zip")], { encoding: "utf8" }).split(" ")[0] ?? "";
}

function prepare(
  shell: string,
  values: Readonly<Record<string, string>> = {},
): { code: number | null; told: string } {
  const settings = Object.entries({
    tools: "ec2-bundle-vol ec2-upload-bundle",
    helpers: "tar",
    install: "auto",
    archive_url: "https://example.com/tools.zip",
    archive_sha256: "",
    tools_home: at("home"),
    ...values,
  }).map(([key, value]) => `${key}='${value}'`);
  const input = `. '${program.pathname}'\n${settings.join("\n")}\nprepare\n`;
  const { status, stderr } = spawnSync("sh", ["-c", `exec ${shell} -s`], {
    input,
    encoding: "utf8",
    env: { PATH: `${at("bin")}:/usr/bin:/bin`, SHLVL: "1" },
  });
  const told = stderr.split("\n").filter((line) => line.startsWith("imgspec-"));
  return { code: status, told: told.join("\n") };
}
