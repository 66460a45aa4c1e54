// Bundles one image with our engine and with the pipeline of Amazon's AMI tools, in turns, and prints the ratios.
//
//   node bench/bundle.mjs [IMAGE] [ROUNDS]
//
// Without an image: a file system of 512 MiB made from /usr/bin and Python's library (needs mke2fs and bash).
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "imgspec-bench-"));

try {
  const image = process.argv[2] ? resolve(process.argv[2]) : makeImage();
  const rounds = Number(process.argv[3] ?? 3);
  await build({
    entryPoints: [join(root, "src/bundle/key.ts"), join(root, "src/bundle/pack.ts")],
    outdir: join(scratch, "dist/bundle"),
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
  });
  writeFileSync(join(scratch, "ours.mjs"), oursScript(image));
  const seen = Array.from({ length: rounds }, () => ({
    ours: timed(`"${process.execPath}" ../ours.mjs`),
    amazons: timed(amazonsScript(image)),
  }));
  report(statSync(image).size / 2 ** 20, rounds, seen);
} finally {
  rmSync(scratch, { recursive: true });
}

function makeImage() {
  const tree = join(scratch, "tree");
  for (const from of ["/usr/bin", "/usr/lib/python3", "/usr/lib/python3.11"].filter(existsSync)) {
    cpSync(from, join(tree, from), { recursive: true, verbatimSymlinks: true });
  }
  const image = join(scratch, "image");
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", tree, image, "512M"]);
  rmSync(tree, { recursive: true });
  return image;
}

function oursScript(image) {
  return `
    import { createReadStream, statSync } from "node:fs";
    import { writeFile } from "node:fs/promises";
    import { newBundleKey } from "./dist/bundle/key.js";
    import { pack } from "./dist/bundle/pack.js";
    const path = ${JSON.stringify(image)};
    await pack(createReadStream(path, { highWaterMark: 1024 * 1024 }), {
      name: "image",
      sizeBytes: statSync(path).size,
      key: newBundleKey(),
      signal: new AbortController().signal,
      onPart: ({ index, bytes }) => writeFile("part." + index, bytes),
    });`;
}

/** As ec2-bundle-image runs it, the key aside. */
function amazonsScript(image) {
  const key = "00112233445566778899aabbccddeeff";
  return `
    mkfifo ../digest
    openssl sha1 < ../digest > /dev/null &
    tar -chS --owner 0 --group 0 -C "$(dirname "${image}")" "$(basename "${image}")" | tee ../digest | gzip -9 |
      openssl enc -e -aes-128-cbc -K ${key} -iv ${key} > ../whole
    wait
    split -b 10485760 -d -a 3 ../whole part.
    for part in part.*; do openssl sha1 < "$part" > /dev/null; done
    rm ../digest ../whole`;
}

/** Wall and CPU seconds of a script, and the bytes of the parts that it leaves in its working directory. */
function timed(script) {
  const parts = join(scratch, "parts");
  mkdirSync(parts);
  const start = performance.now();
  const wrapped = `set -euo pipefail\n${script}\ntimes > ../times`;
  execFileSync("bash", ["-c", wrapped], { cwd: parts, stdio: ["ignore", "ignore", "inherit"] });
  const seconds = (performance.now() - start) / 1000;
  const bytes = readdirSync(parts).reduce((sum, name) => sum + statSync(join(parts, name)).size, 0);
  rmSync(parts, { recursive: true });
  return { seconds, cpu: childCpu(readFileSync(join(scratch, "times"), "utf8")), bytes };
}

/** The second line of bash's \`times\`: user and system time of its children, such as 1m2.345s. */
function childCpu(times) {
  const [, children = ""] = times.trim().split("\n");
  return children
    .split(" ")
    .map((text) => text.match(/(\d+)m([\d.]+)s/))
    .reduce((sum, match) => sum + Number(match?.[1]) * 60 + Number(match?.[2]), 0);
}

function report(mib, rounds, seen) {
  console.log(`${mib} MiB, ${availableParallelism()} cores, Node ${process.version}, median of ${rounds}`);
  for (const way of ["ours", "amazons"]) {
    const of = (key) => median(seen.map((run) => run[way][key]));
    const rate = (mib / of("seconds")).toFixed(0);
    console.log(
      `${way}: ${of("seconds").toFixed(1)} s, ${rate} MiB/s, CPU ${of("cpu").toFixed(1)} s, ${of("bytes")} bytes`,
    );
  }
  for (const key of ["seconds", "cpu", "bytes"]) {
    const ratio = median(seen.map(({ ours, amazons }) => ours[key] / amazons[key]));
    console.log(`ours / amazons, ${key}: ${ratio.toFixed(3)}`);
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
