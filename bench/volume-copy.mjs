// Copies and bundles the root of a machine in our ways, by rsync, and as Amazon's AMI tools do, in turns. Writes the
// ratios to bench/volume-copy.md.
//
//   node bench/volume-copy.mjs [MIB] [COPIES] [BUNDLES]
//
// MIB: how much of /usr the root has. Needs Linux, root, loop devices, control groups (version 2), OpenSSH's sshd,
// e2fsprogs, xfsprogs, rsync, curl 7.88 and openssl.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toReport } from "./volume-copy-report.mjs";
import { openRig, sh } from "./volume-copy-rig.mjs";
import { bundleAmazons, bundleOurs, copyByRsync, copyOurs } from "./volume-copy-ways.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

if (process.env.IMGSPEC_BENCH_APART === undefined) {
  // Whatever is mounted goes away with the namespace.
  const env = { ...process.env, IMGSPEC_BENCH_APART: "yes" };
  const { status } = spawnSync("unshare", ["-m", process.execPath, ...process.argv.slice(1)], {
    stdio: "inherit",
    env,
  });
  process.exit(status ?? 1);
}

const [mib, copies, bundles] = [600, 3, 2].map((usual, index) => Number(process.argv[index + 2] ?? usual));
const rig = await openRig(root, mib);
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.once(signal, () => void rig[Symbol.asyncDispose]().finally(() => process.exit(code)));
}
try {
  // The first makes known how large an image is, which the others get, too.
  const first = await copyOurs(rig, "ext4");
  rig.facts.imageMib = Math.ceil(rig.facts.usedMib * 1.2) + 64;
  console.log(`ext4: ours, unmeasured: ${first.wall.toFixed(1)} s`);
  const seen = await measureAll();
  const facts = {
    seen,
    mib,
    copies,
    bundles,
    ...rig.facts,
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, Linux ${release().split("-")[0]}, Node ${process.version}`,
    tools: sh(
      'mke2fs -V 2>&1 | sed -n "s/ (.*//p"; rsync --version | sed -n "s/ *version \\([^ ]*\\).*/ \\1/p" | sed -n 1p; ssh -V 2>&1 | sed "s/,.*//"',
    )
      .trim()
      .split("\n"),
    cores: availableParallelism(),
    date: new Date().toISOString().slice(0, 10),
  };
  writeFileSync(join(root, "bench/volume-copy.md"), toReport(facts));
  execFileSync("npx", ["biome", "format", "--write", "bench/volume-copy.md"], { cwd: root, stdio: "ignore" });
  console.log(readFileSync(join(root, "bench/volume-copy.md"), "utf8"));
} finally {
  await rig[Symbol.asyncDispose]();
}

/** Every way's runs, by its name. */
async function measureAll() {
  const seen = {};
  const run = async (name, work) => {
    sh("sync");
    const one = await work();
    seen[name] = [...(seen[name] ?? []), one];
    const cpu = Object.entries(one.cpu).map(([side, seconds]) => `${side} ${seconds.toFixed(1)} s`);
    const phases = (one.phases ?? []).map(([phase, seconds]) => `${phase} from ${seconds.toFixed(1)} s`);
    console.log(
      `${name}: ${one.wall.toFixed(1)} s, CPU ${cpu.join(", ")}, ${Math.round(one.scratchBytes / 2 ** 20)} MiB, load ${one.load} ${phases.join(", ")}`,
    );
  };
  for (let round = 0; round < copies; round += 1) {
    for (const type of ["ext4", "xfs"]) {
      await run(`${type}: volume copy`, () => copyOurs(rig, type));
      await run(`${type}: rsync -aHAX`, () => copyByRsync(rig, type));
    }
  }
  for (let round = 0; round < bundles; round += 1) {
    await run("at: builder", () => bundleOurs(rig, "builder"));
    await run("at: instance, pigz", () => bundleOurs(rig, "instance"));
    await run("at: instance, gzip", () => withoutPigz(() => bundleOurs(rig, "instance")));
    await run("ec2-bundle-vol", () => bundleAmazons(rig));
  }
  return seen;
}

/** As on an instance that does not have it: what cannot be executed is not found. */
async function withoutPigz(work) {
  const pigz = sh("command -v pigz || true").trim();
  if (pigz !== "") sh('mount --bind /dev/null "$1"', pigz);
  try {
    return await work();
  } finally {
    if (pigz !== "") sh('umount "$1"', pigz);
  }
}
