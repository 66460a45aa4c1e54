import { cpSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const key = "00112233445566778899aabbccddeeff";

/** Our engine as programs without the command line: one that packs, one that unpacks what it packed. */
export async function buildOurs(root, scratch) {
  cpSync(join(root, "src/bundle/libdeflate"), join(scratch, "libdeflate"), { recursive: true });
  for (const [name, contents] of Object.entries({ pack, unpack })) {
    await build({
      stdin: { contents, resolveDir: root },
      outfile: join(scratch, `${name}.mjs`),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "error",
    });
  }
}

/** What the main thread alone has worked, Linux, seconds. */
const mainSeconds = `
  const mainSeconds = () => {
    const fields = readFileSync("/proc/self/task/" + process.pid + "/stat", "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };`;

const pack = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { writeFile } from "node:fs/promises";
  import { BundleKey } from "./src/bundle/key.ts";
  import { pack } from "./src/bundle/pack.ts";
  import { openSparseImage } from "./src/bundle/sparse-image.ts";
  ${mainSeconds}
  const [path, level] = process.argv.slice(2);
  const { signal } = new AbortController();
  const { sizeBytes, extents, chunks } = await openSparseImage(path, signal);
  const packed = await pack(chunks, {
    name: "image",
    sizeBytes,
    extents,
    key: new BundleKey("${key}", "${key}"),
    level: Number(level),
    signal,
    onPart: ({ index, bytes }) => writeFile("part." + String(index).padStart(3, "0"), bytes),
  });
  writeFileSync("../packed.json", JSON.stringify(packed));
  writeFileSync("../main", String(mainSeconds()));`;

const unpack = `
  import { readFileSync } from "node:fs";
  import { BundleKey } from "./src/bundle/key.ts";
  import { partsIn } from "./src/bundle/part-source.ts";
  import { writeImage } from "./src/bundle/write-image.ts";
  const image = JSON.parse(readFileSync("../packed.json", "utf8"));
  const parts = image.parts.map((part) => ({ ...part, fileName: "part." + String(part.index).padStart(3, "0") }));
  const manifest = { image: { ...image, parts } };
  await writeImage(manifest, new BundleKey("${key}", "${key}"), partsIn("../bundle"), "image", {
    signal: new AbortController().signal,
  });`;

/** As ec2-bundle-image runs it, the key aside; the compressor may be another. */
export function amazonsPack(image, compressor) {
  return `
    mkfifo ../digest
    openssl sha1 < ../digest > /dev/null &
    tar -chS --owner 0 --group 0 -C "$(dirname "${image}")" "$(basename "${image}")" | tee ../digest | ${compressor} |
      openssl enc -e -aes-128-cbc -K ${key} -iv ${key} > ../whole
    wait
    split -b 10485760 -d -a 3 ../whole part.
    for part in part.*; do openssl sha1 < "$part" > /dev/null; done
    rm ../digest ../whole`;
}

/** As ec2-unbundle runs it. */
export const amazonsUnpack = `
    mkfifo ../digest
    openssl sha1 < ../digest > /dev/null &
    cat ../bundle/part.* | openssl enc -d -aes-128-cbc -K ${key} -iv ${key} | gzip -d | tee ../digest | tar -xS
    wait
    rm ../digest`;

/** Without the digest, which is more than it need do. */
export const plainUnpack = `
    cat ../bundle/part.* | openssl enc -d -aes-128-cbc -K ${key} -iv ${key} | gzip -d | tar -xS`;
