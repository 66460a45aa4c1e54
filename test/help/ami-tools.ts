import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Stand-ins for Amazon's tools, which make a real bundle with openssl and really upload it with curl. */
export type StubTools = AsyncDisposable & {
  /** What EC2_AMITOOL_HOME names. */
  readonly home: string;
  /** The arguments with which a tool was called last. */
  argumentsOf(tool: "bundle" | "upload"): Promise<readonly string[]>;
  /** What a tool noted: `keys`, `processes`. */
  note(name: string): Promise<string>;
  /** Makes a tool behave: `bundle-fails`, `bundle-hangs`, `bundle-waits`, `upload-waits`, `upload-lies`, `other-key`. */
  misbehave(how: string): Promise<void>;
  behave(): Promise<void>;
};

const options = `while [ $# -gt 0 ]; do
  case $1 in
    --batch | --no-inherit | --no-filter | --retry) ;;
    --*) eval "$(echo "\${1#--}" | tr - _)=\\$2"; shift ;;
    *) echo "ERROR: unexpected $1"; exit 1 ;;
  esac
  shift
done
`;

const start = (log: string, tool: string): string => `#!/bin/sh
set -eu
if [ "\${1:-}" = --version ]; then echo "1.5.19 20071010"; exit 0; fi
log=${log}
printf '%s\\n' "$@" >"$log/${tool}.args"
ps -eo args= >"$log/${tool}.processes"
${options}`;

const bundleVol = `
stat -c '%a %n' "$privatekey" "$(dirname "$privatekey")" >"$log/keys"
stat -f -c %T "$privatekey" >>"$log/keys"
[ ! -e "$log/bundle-fails" ] || { echo "ERROR: no space left on device"; exit 1; }
[ ! -e "$log/bundle-hangs" ] || { echo "copying"; exec sleep 600; }
[ ! -e "$log/bundle-waits" ] || { echo "copying"; sleep 1.5; }
[ ! -e "$log/other-key" ] || ec2cert=$cert
hex() { od -An -v -tx1 | tr -d ' \\n'; }
sha1() { sha1sum "$1" | cut -d' ' -f1; }
wrap() { printf %s "$1" | openssl pkeyutl -encrypt -pkeyopt rsa_padding_mode:pkcs1 -certin -inkey "$2" | hex; }
key=$(openssl rand -hex 16)
iv=$(openssl rand -hex 16)
cd "$destination"
head -c 200000 /dev/urandom >"$prefix"
tar --format=gnu -cf whole.tar "$prefix"
gzip -c whole.tar | openssl enc -e -aes-128-cbc -K "$key" -iv "$iv" >"$prefix.part.0"
machine="<machine_configuration><architecture>$arch</architecture></machine_configuration>"
image="<image><name>$prefix</name><user>$user</user><type>machine</type><digest algorithm='SHA1'>$(sha1 whole.tar)</digest><size>200000</size><bundled_size>$(stat -c %s "$prefix.part.0")</bundled_size><ec2_encrypted_key algorithm='AES-128-CBC'>$(wrap "$key" "$ec2cert")</ec2_encrypted_key><user_encrypted_key algorithm='AES-128-CBC'>$(wrap "$key" "$cert")</user_encrypted_key><ec2_encrypted_iv>$(wrap "$iv" "$ec2cert")</ec2_encrypted_iv><user_encrypted_iv>$(wrap "$iv" "$cert")</user_encrypted_iv><parts count='1'><part index='0'><filename>$prefix.part.0</filename><digest algorithm='SHA1'>$(sha1 "$prefix.part.0")</digest></part></parts></image>"
signature=$(printf %s "$machine$image" | openssl dgst -sha1 -sign "$privatekey" | hex)
printf %s "<?xml version='1.0'?><manifest><version>2007-10-10</version><bundler><name>ec2-ami-tools</name><version>1.5</version><release>19</release></bundler>$machine$image<signature>$signature</signature></manifest>" >"$prefix.manifest.xml"
echo "Bundle manifest is $prefix.manifest.xml"
`;

const uploadBundle = `
[ ! -e "$log/upload-waits" ] || { echo "uploading"; sleep 1.5; }
[ ! -e "$log/upload-lies" ] || { echo "Bundle upload completed."; exit 0; }
for file in "$directory"/*.part.* "$manifest"; do
  printf 'user = "%s:%s"\\n' "$access_key" "$secret_key" |
    curl -fsS -K - --aws-sigv4 "aws:amz:$region:s3" -H "x-amz-acl: $acl" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" \\
      -T "$file" "$url/$bucket/\${file##*/}"
done
echo "Bundle upload completed."
`;

export async function newStubTools(): Promise<StubTools> {
  const home = await mkdtemp(join(tmpdir(), "imgspec-ami-tools-"));
  const log = join(home, "log");
  await mkdir(log);
  await mkdir(join(home, "bin"));
  await writeFile(join(home, "bin/ec2-bundle-vol"), start(log, "bundle") + bundleVol, { mode: 0o755 });
  await writeFile(join(home, "bin/ec2-upload-bundle"), start(log, "upload") + uploadBundle, { mode: 0o755 });
  const ways = ["bundle-fails", "bundle-hangs", "bundle-waits", "upload-waits", "upload-lies", "other-key"];
  return {
    home,
    argumentsOf: async (tool) =>
      (await readFile(join(log, `${tool}.args`), "utf8")).replace(/\n$/, "").split("\n"),
    note: (name) => readFile(join(log, name), "utf8"),
    misbehave: (how) => writeFile(join(log, how), ""),
    behave: async () => {
      for (const way of ways) await rm(join(log, way), { force: true });
    },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
