/**
 * How long the command line takes to start, held against Node itself.
 *
 * usage: node bench/start.mjs [RUNS]     (after `npm run build`; writes bench/start.md, prints JSON)
 *
 * The commands take turns, so that whatever else the machine does falls on all of them alike: trust the ratios.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const runs = Number(process.argv[2] ?? 15);
const cli = resolve(root, "dist/bin.cjs");
const spec = "examples/quickstart/image.yaml";

/** `allowedMs`: where `node -e 0` takes 25. */
const commands = [
  { name: "node -e 0", args: ["-e", "0"], allowedMs: null },
  { name: "imgspec --help", args: [cli, "--help"], allowedMs: 60 },
  { name: `imgspec validate ${spec}`, args: [cli, "validate", spec], allowedMs: 120 },
];

if (!existsSync(cli)) throw new Error("dist/bin.cjs is missing: run `npm run build` first");
if (!Number.isInteger(runs) || runs < 1) throw new Error("usage: node bench/start.mjs [RUNS]");

const times = measure();
const floor = median(times[0] ?? []);
const rows = commands.map(({ name, allowedMs }, index) => {
  const ms = median(times[index] ?? []);
  return {
    name,
    ms: round(ms),
    ratio: round(ms / floor),
    allowedRatio: allowedMs === null ? null : allowedMs / 25,
  };
});
const report = {
  node: process.version,
  cpu: `${availableParallelism()} x ${cpus()[0]?.model ?? "unknown"}`,
  date: new Date().toISOString().slice(0, 10),
  runs,
  rows,
  quickstartSeconds: round(quickstart() / 1000),
};
writeFileSync(resolve(root, "bench/start.md"), toMarkdown(report));
console.log(JSON.stringify(report, null, 2));

function measure() {
  const samples = commands.map(() => []);
  // One turn more than asked for: the first only warms the file cache.
  for (let turn = 0; turn <= runs; turn += 1) {
    for (const [index, { name, args }] of commands.entries()) {
      const ms = time(name, args);
      if (turn > 0) samples[index]?.push(ms);
    }
  }
  return samples;
}

/** One build, whole: launch, provisioning, bundle, upload, register, and the new image tried. */
function quickstart() {
  const folder = mkdtempSync(join(tmpdir(), "imgspec-bench-"));
  try {
    const options = [
      "--emulate",
      "--try",
      "greet",
      "--state-dir",
      folder,
      "--result",
      join(folder, "result.json"),
    ];
    return time("the quickstart", [cli, "build", spec, ...options]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function time(name, args) {
  // Where this variable is set, Node 20 reads the certificates on every start: 30 ms that are not ours.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, env, stdio: "pipe" });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
  return ms;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function round(value) {
  return Math.round(value * 100) / 100;
}

function toMarkdown({ node, cpu, date, rows, quickstartSeconds }) {
  const lines = rows.map(
    ({ name, ms, ratio, allowedRatio }) =>
      `| \`${name}\` | ${ms.toFixed(0)} | ${ratio} | ${allowedRatio ?? ""} |`,
  );
  return `# Start of the command line

\`node bench/start.mjs ${runs}\` on ${date}: Node ${node}, ${cpu}, medians of ${runs} runs that take turns,
NODE_EXTRA_CA_CERTS unset.

| command | ms | times \`node -e 0\` | allowed |
|---|---|---|---|
${lines.join("\n")}

Allowed is what keeps \`--help\` under 60 ms and \`validate\` under 120 ms where \`node -e 0\` takes 25 ms. The files of
\`dist/lib\` hold what starts together (build.mjs); before they were bundled the ratios of CPU time were 2.5 and 7.0.

The quickstart, from launch to the trial of its image: ${quickstartSeconds} s (allowed: 60).
`;
}
