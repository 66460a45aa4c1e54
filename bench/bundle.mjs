// Bundles and unbundles one image with our engine and with the pipelines of Amazon's AMI tools, in turns. Writes the
// ratios to bench/bundle.md and bench/bundle.svg.
//
//   node bench/bundle.mjs [ROUNDS] [IMAGE]
//
// Needs Linux, bash, GNU time, openssl, gzip and pigz; and mke2fs when no image is given. Each round begins with what
// the default level is measured by, so that it is paired; the other levels and compressors run once.
import { execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { toReport } from "./bundle-report.mjs";
import { amazonsPack, amazonsUnpack, buildOurs, plainUnpack } from "./bundle-ways.mjs";
import { toSvg } from "./plot.mjs";
import { makeImage } from "./realistic-image.mjs";

const defaultLevel = 4;
const zerosGib = 10;
const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "imgspec-bench-"));
const cores = availableParallelism();

try {
  const rounds = Number(process.argv[2] ?? 3);
  const image = process.argv[3] ? resolve(process.argv[3]) : makeImage(scratch);
  await buildOurs(root, scratch);
  const seen = measure(image, rounds);
  const facts = {
    seen,
    rounds,
    defaultLevel,
    zerosGib,
    cores,
    gib: statSync(image).size / 2 ** 30,
    machine: `${cores} cores of ${cpus()[0]?.model.trim()}, Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    threads: threadSeconds(),
  };
  writeFileSync(join(root, "bench/bundle.md"), toReport(facts));
  writeFileSync(join(root, "bench/bundle.svg"), toSvg(facts));
  execFileSync("npx", ["biome", "format", "--write", "bench/bundle.md"], { cwd: root, stdio: "ignore" });
  console.log(readFileSync(join(root, "bench/bundle.md"), "utf8"));
} finally {
  rmSync(scratch, { recursive: true });
}

/** Every way's runs, by its name. */
function measure(image, rounds) {
  const node = `"${process.execPath}"`;
  const ours = (level) => `${node} ../pack.mjs "${image}" ${level}`;
  const seen = {};
  const run = (name, script) => {
    const one = timed(script);
    seen[name] = [...(seen[name] ?? []), one];
    console.log(`${name}: ${one.wall} s, CPU ${one.cpu.toFixed(1)} s, ${one.mib} MiB, load ${one.load}`);
  };
  execFileSync("cat", [image], { stdio: "ignore" });
  for (let round = 0; round < rounds; round += 1) {
    run(`ours, level ${defaultLevel}`, ours(defaultLevel));
    keepBundle();
    run("unbundle: ours", `${node} ../unpack.mjs`);
    run("unbundle: cat, openssl, gzip -d, tar", plainUnpack);
    run("unbundle: Amazon's, with its digest", amazonsUnpack);
    run("Amazon's, gzip -9", amazonsPack(image, "gzip -9"));
  }
  for (const level of [1, 2, 3, 5, 6, 7, 8, 9]) run(`ours, level ${level}`, ours(level));
  run("Amazon's with pigz -6", amazonsPack(image, "pigz -6"));
  run("Amazon's with pigz -9", amazonsPack(image, "pigz -9"));
  const zeros = join(scratch, "zeros");
  execFileSync("truncate", ["--size", `${zerosGib}G`, zeros]);
  for (let round = 0; round < 3; round += 1) {
    run("zeros: ours", `${node} ../pack.mjs "${zeros}" ${defaultLevel}`);
    run("zeros: cat", `cat "${zeros}" > /dev/null`);
  }
  return seen;
}

/** Runs a script in a fresh directory. Seconds, peak memory of its largest process, bytes that it leaves there. */
function timed(script) {
  const directory = join(scratch, "run");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const times = join(scratch, "times");
  const load = loadavg()[0].toFixed(1);
  execFileSync("time", ["-f", "%e %U %S %M", "-o", times, "bash", "-euo", "pipefail", "-c", script], {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
    // As the command line sets it.
    env: { ...process.env, UV_THREADPOOL_SIZE: String(Math.max(4, cores)) },
  });
  const [wall, user, system, kib] = readFileSync(times, "utf8").trim().split(" ").map(Number);
  const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const main =
    script.includes("pack.mjs") && !script.includes("unpack")
      ? Number(readFileSync(join(scratch, "main")))
      : null;
  return { wall, cpu: user + system, mib: Math.round(kib / 1024), bytes, load, main };
}

function keepBundle() {
  rmSync(join(scratch, "bundle"), { recursive: true, force: true });
  renameSync(join(scratch, "run"), join(scratch, "bundle"));
}

/** What each of the threads beside the main one works per GiB that it is given, seconds. */
function threadSeconds() {
  const bytes = Buffer.alloc(256 * 2 ** 20, "image");
  const perGib = (work) => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) / 1e6) * (2 ** 30 / bytes.length);
  };
  return {
    sha1: perGib(() => createHash("sha1").update(bytes).digest()),
    aes: perGib(() => {
      const cipher = createCipheriv("aes-128-cbc", Buffer.alloc(16), Buffer.alloc(16));
      for (let at = 0; at < bytes.length; at += 4096) cipher.update(bytes.subarray(at, at + 4096));
    }),
  };
}
