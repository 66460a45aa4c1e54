import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** dpkg changes a root of its own only for root. */
export const haveApt: boolean =
  userInfo().uid === 0 && ["/usr/bin/apt-get", "/usr/bin/dpkg-deb"].every((path) => existsSync(path));

export type AptRoot = AsyncDisposable & {
  readonly directory: string;
  /** What a shell must have in its environment for apt-get, dpkg and dpkg-query to work on this root. */
  readonly environment: Readonly<Record<string, string>>;
};

export type Deb = { readonly name: string; readonly version: string; readonly fields?: string };

/** The real apt and dpkg over an empty root of their own, with a repository of these packages in a directory. */
export async function newAptRoot(debs: readonly Deb[]): Promise<AptRoot> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-apt-"));
  const at = (path: string): string => join(directory, path);
  const folders = [
    "repository",
    "root/var/lib/dpkg/updates",
    "root/var/lib/dpkg/info",
    "root/etc/apt/apt.conf.d",
  ];
  const others = ["preferences.d", "sources.list.d", "trusted.gpg.d"].map((name) => `root/etc/apt/${name}`);
  const states = ["var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt", "tmp"];
  for (const path of [...folders, ...others, ...states.map((name) => `root/${name}`)])
    await mkdir(at(path), { recursive: true });
  await writeFile(at("root/var/lib/dpkg/status"), "");
  await writeFile(at("root/etc/apt/sources.list"), `deb [trusted=yes] file:${at("repository")} ./\n`);
  for (const deb of debs) await makeDeb(directory, deb);
  const packages = await readFile(at("repository/Packages"));
  const release = ["Suite: testing", "SHA256:", ` ${toSha256(packages)} ${packages.length} Packages`];
  await writeFile(at("repository/Release"), `${release.join("\n")}\n`);
  const settings = [
    `Dir "${at("root")}";`,
    `Dir::State::status "${at("root/var/lib/dpkg/status")}";`,
    'Dir::Bin::dpkg "/usr/bin/dpkg";',
    'Dir::Bin::methods "/usr/lib/apt/methods";',
    `DPkg::Options { "--root=${at("root")}"; "--log=${at("dpkg.log")}"; "--force-script-chrootless"; };`,
    'APT::Sandbox::User "root";',
  ];
  await writeFile(at("apt.conf"), `${settings.join("\n")}\n`);
  return {
    directory,
    environment: { APT_CONFIG: at("apt.conf"), DPKG_ADMINDIR: at("root/var/lib/dpkg") },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function makeDeb(directory: string, { name, version, fields = "" }: Deb): Promise<void> {
  const tree = join(directory, "trees", `${name}-${version}`);
  await mkdir(join(tree, "DEBIAN"), { recursive: true });
  await mkdir(join(tree, "usr/share", name), { recursive: true });
  await writeFile(join(tree, "usr/share", name, "version"), `${version}\n`);
  const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: a test\n${fields}`;
  await writeFile(join(tree, "DEBIAN/control"), control);
  const file = `${name}_${version}_all.deb`;
  const path = join(directory, "repository", file);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, path], { stdio: "ignore" });
  const bytes = await readFile(path);
  const entry = `${control}Filename: ./${file}\nSize: ${bytes.length}\nSHA256: ${toSha256(bytes)}\n\n`;
  await appendFile(join(directory, "repository/Packages"), entry);
}

function toSha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
