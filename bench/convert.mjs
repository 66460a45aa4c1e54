// Makes an EBS snapshot of a bundle of 1 GiB in S3 with `imgspec convert`; and as the user guide has it, without its
// instance: unbundle to a file and copy that by dd, or, where there is a coldsnap (AWS's own client of the EBS direct
// APIs), upload it with that. All talk to the emulator in this process. Writes bench/convert.md.
//
//   node bench/convert.mjs [ROUNDS] [COLDSNAP]
//
// Needs Linux, GNU time, mke2fs, and `npm run build` before.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { makeImage } from "./realistic-image.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "dist/bin.cjs");
const scratch = mkdtempSync(join(tmpdir(), "imgspec-bench-"));
const [rounds = 3, coldsnap] = [Number(process.argv[2] ?? 3), process.argv[3] && resolve(process.argv[3])];
const source = "s3://bench/disk/disk.manifest.xml";
/** About what AWS takes to answer for a block. */
const answerMs = 100;
let blocks = 0;
const counted = [
  "GetObject",
  "StartSnapshot",
  "PutSnapshotBlock",
  "CompleteSnapshot",
  "DescribeSnapshots",
  "RegisterImage",
  "DescribeImages",
];

const emulator = await startEmulator();
try {
  const disk = makeDisk();
  const gib = statSync(disk).size / 2 ** 30;
  mkdirSync(join(scratch, "keys"));
  await imgspec(["cert", "create"], join(scratch, "keys"));
  const keys = ["--cert", "keys/cert.pem", "--privatekey", "keys/pk.pem"];
  const names = ["--user", emulator.accountId, "--prefix", "disk", "--region", "us-east-1"];
  await emulator.furnish({ buckets: [{ name: "bench", region: "us-east-1" }], images: [] });
  const to = ["--to", "s3://bench/disk", "--emulator", emulator.url];
  await imgspec(["bundle", disk, ...keys, ...names, ...to, "-q"]);
  console.log("measuring");
  const seen = await measure(disk);
  const facts = { seen, gib, date: new Date().toISOString().slice(0, 10) };
  writeFileSync(join(root, "bench/convert.md"), toReport(facts));
  execFileSync("npx", ["biome", "format", "--write", "bench/convert.md"], { cwd: root, stdio: "ignore" });
  console.log(readFileSync(join(root, "bench/convert.md"), "utf8"));
} finally {
  await emulator[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
}

/** The emulator's sources, bundled: it must be in this process for its calls to be counted. */
async function startEmulator() {
  const outfile = join(scratch, "emulator.cjs");
  await build({
    entryPoints: [join(root, "src/emulator/start.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // Written in C++, and ssh2 does without it.
    external: ["cpu-features", "*.node"],
    logLevel: "error",
  });
  const { startEmulator: start } = await import(pathToFileURL(outfile).href);
  const instances = { close: () => Promise.resolve() };
  return start({ directory: join(scratch, "aws"), instances });
}

/** A disk: a partition table, and behind it a file system of 1 GiB, two thirds full of what this machine has in /usr. */
function makeDisk() {
  const fileSystem = makeImage(scratch);
  const disk = join(scratch, "disk");
  const head = Buffer.alloc(1024 * 1024);
  head.set([0x80, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0, 32, 0], 446);
  head.writeUInt16LE(0xaa55, 510);
  writeFileSync(disk, head);
  truncateSync(disk, head.length + statSync(fileSystem).size);
  execFileSync("dd", [
    `if=${fileSystem}`,
    `of=${disk}`,
    "bs=1M",
    "seek=1",
    "conv=notrunc,sparse",
    "status=none",
  ]);
  rmSync(fileSystem);
  return disk;
}

/** Throws where one byte of the snapshot is not the disk's. */
async function convert(disk, name) {
  const line = ["convert", source, ...place(), "--region", "us-east-1", "--name", name, "-o", "json"];
  const { facts, stdout } = await timed([process.execPath, bin, ...line]);
  const { snapshotId, blocks: written } = JSON.parse(stdout);
  blocks = written;
  const snapshot = join(scratch, "aws/ebs", `${snapshotId}.img`);
  execFileSync("cmp", ["-n", String(statSync(disk).size), disk, snapshot]);
  rmSync(snapshot);
  return facts;
}

function place() {
  return ["--privatekey", "keys/pk.pem", "--emulator", emulator.url, "-q"];
}

async function measure(disk) {
  const seen = {};
  const unbundled = join(scratch, "unbundled");
  const run = async (name, work) => {
    const before = counted.map((action) => emulator.calls(action));
    const load = loadavg()[0].toFixed(1);
    const one = await work();
    const calls = counted.map((action, index) => emulator.calls(action) - before[index]);
    seen[name] = [...(seen[name] ?? []), { ...one, calls, load }];
    console.log(name, JSON.stringify(seen[name].at(-1)));
  };
  for (let round = 0; round < rounds; round += 1) {
    await run("imgspec convert", () => convert(disk, `round ${round}`));
    await run(`imgspec convert, ${answerMs} ms a block`, () => {
      emulator.fail("PutSnapshotBlock", `slow:${answerMs}`, { times: blocks });
      return convert(disk, `slow round ${round}`);
    });
    const unbundle = [
      process.execPath,
      bin,
      "unbundle",
      source,
      ...place(),
      "--destination",
      unbundled,
      "--force",
    ];
    await run("imgspec unbundle, dd", async () =>
      sum(
        await timed(unbundle),
        await timed([
          "dd",
          `if=${unbundled}/disk`,
          `of=${scratch}/volume`,
          "bs=1M",
          "conv=fsync",
          "status=none",
        ]),
      ),
    );
    if (!coldsnap) continue;
    await run("imgspec unbundle, coldsnap upload", async () =>
      sum(
        await timed(unbundle),
        await timed([
          coldsnap,
          "--endpoint",
          emulator.url,
          "--region",
          "us-east-1",
          "upload",
          "--wait",
          "--no-progress",
          "--omit-zero-blocks",
          `${unbundled}/disk`,
        ]),
      ),
    );
  }
  return seen;
}

function sum(...parts) {
  const facts = parts.map((part) => part.facts);
  return {
    seconds: facts.reduce((total, { seconds }) => total + seconds, 0),
    cpu: facts.reduce((total, { cpu }) => total + cpu, 0),
    mib: Math.max(...facts.map(({ mib }) => mib)),
  };
}

/** Not spawnSync: the emulator must answer meanwhile. */
async function timed(command) {
  const times = join(scratch, "times");
  const { accessKeyId, secretAccessKey } = emulator.cloud.credentials;
  const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const child = spawn("/usr/bin/time", ["-o", times, "-f", "%e %U %S %M", ...command], {
    cwd: scratch,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.on("data", (bytes) => {
    stdout += bytes;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  const [seconds, user, system, kib] = readFileSync(times, "utf8").trim().split(" ").map(Number);
  return { stdout, facts: { seconds, cpu: user + system, mib: kib / 1024 } };
}

async function imgspec(args, cwd = scratch) {
  const child = spawn(process.execPath, [bin, ...args], { cwd, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`imgspec ${args[0]} ended with ${code}`);
}

function toReport({ seen, gib, date }) {
  const median = (list) => list.sort((x, y) => x - y)[Math.floor(list.length / 2)];
  const rows = Object.entries(seen).map(([name, runs]) => {
    const [seconds, cpu, mib] = ["seconds", "cpu", "mib"].map((key) => median(runs.map((run) => run[key])));
    return `| ${name} | ${(seconds / gib).toFixed(1)} | ${(cpu / gib).toFixed(1)} | ${mib.toFixed(0)} | ${runs.map(({ load }) => load).join(", ")} |`;
  });
  const ways = Object.entries(seen);
  const calls = counted.map(
    (action, index) => `| ${action} | ${ways.map(([, runs]) => runs[0].calls[index]).join(" | ")} |`,
  );
  return `# From a bundle to a snapshot

Made by \`node bench/convert.mjs ${rounds}\` on ${date}: a disk with an ext4 file system of 1 GiB, two thirds full of Debian's /usr, bundled in the
emulator's S3; ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, Node ${process.version}. The emulator is one process on the same cores and answers on
loopback at once: on AWS the network decides. \`convert\` does all, registering too; \`dd\` writes to a file, what Amazon's guide does to an attached volume,
and its snapshot would still be to make${coldsnap ? "; coldsnap is AWS's own client of the EBS direct APIs, which wants a file" : ""}. Medians of ${rounds} rounds in turns, per GiB of the image. Memory is the peak of the largest
process; the last column is the load of other work just before each run.

| | seconds | CPU s | MiB | load |
| --- | ---: | ---: | ---: | ---: |
${rows.join("\n")}

After each \`convert\` the bytes of the snapshot were compared with those of the disk: the same. With ${answerMs} ms for the answer to each block, as on a network, 32 blocks are
on their way at once, and memory stays as it is.

| calls | ${ways.map(([name]) => name).join(" | ")} |
| --- | ${ways.map(() => "---:").join(" | ")} |
${calls.join("\n")}

The image has ${Math.ceil(gib * 2048)} blocks; those that are zero all over are not sent. A part of the bundle is one GetObject; \`convert\` first reads the beginning of the image,
with one or two parts more, to refuse what would not boot before it creates anything.
`;
}
