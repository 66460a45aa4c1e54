/**
 * How long the command line takes to start, held against Packer's.
 *
 * usage: node bench/start-up.mjs [RUNS]     (after `npm run build`; writes bench/start-up.md, prints JSON; needs `packer` 1.6
 * in PATH, the last with the builder amazon-instance in it: Debian's package has it)
 *
 * The commands take turns, so that whatever else the machine does falls on all of them alike: trust the ratios, which are
 * medians of the pairs.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { newUserCertificate } from "../dist/lib/index.js";
import { writeFamily } from "./start-up-family.mjs";

const root = resolve(import.meta.dirname, "..");
const runs = Number(process.argv[2] ?? 15);
const cli = join(root, "dist/bin.cjs");
if (!existsSync(cli)) throw new Error("dist/bin.cjs is missing: run `npm run build` first");
if (!Number.isInteger(runs) || runs < 1) throw new Error("usage: node bench/start-up.mjs [RUNS]");

const folder = mkdtempSync(join(tmpdir(), "imgspec-start-up-"));
cpSync(join(root, "bench/start-up"), folder, { recursive: true });
const { certificate, privateKey } = await newUserCertificate({ days: 30 });
writeFileSync(join(folder, "cert.pem"), certificate);
writeFileSync(join(folder, "key.pem"), privateKey, { mode: 0o600 });
const family = writeFamily(folder);

/** `peer`: the name of the command that it is held against, and how much of its time it may take. */
const commands = {
  "node -e 0": { words: [process.execPath, "-e", "0"] },
  "packer version": { words: ["packer", "version"] },
  "packer validate web.json": { words: ["packer", "validate", "web.json"] },
  "imgspec --help": { words: [process.execPath, cli, "--help"], peer: "packer version", allowed: 0.65 },
  "imgspec validate web.yaml": {
    words: [process.execPath, cli, "validate", "web.yaml"],
    peer: "packer validate web.json",
    allowed: 0.75,
  },
  "imgspec validate plain.yaml": {
    words: [process.execPath, cli, "validate", "plain.yaml"],
    peer: "packer validate web.json",
    allowed: 0.75,
  },
  "imgspec validate fleet.yaml": { words: [process.execPath, cli, "validate", family.path], allowedMs: 1000 },
};

const samples = measure();
const rows = Object.entries(commands).map(([name, { peer, allowed, allowedMs }]) => ({
  name,
  ms: Math.round(median(samples[name])),
  peer,
  ratio: peer && round(median(samples[name].map((ms, turn) => ms / samples[peer][turn]))),
  allowed: allowed ?? (allowedMs && `${allowedMs} ms`),
}));
const quickstartSeconds = round(quickstart() / 1000);
rmSync(folder, { recursive: true });
const report = {
  machine: `${availableParallelism()} x ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}`,
  date: new Date().toISOString().slice(0, 10),
  load: loadavg()[0].toFixed(1),
  rows,
  quickstartSeconds,
};
writeFileSync(join(root, "bench/start-up.md"), toMarkdown(report));
console.log(JSON.stringify(report, null, 2));

function measure() {
  const found = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  // One turn more than asked for: the first only warms the file cache.
  for (let turn = 0; turn <= runs; turn += 1) {
    for (const [name, { words }] of Object.entries(commands)) {
      const ms = time(words, folder);
      if (turn > 0) found[name].push(ms);
    }
  }
  return found;
}

/** One build, whole: launch, provisioning, bundle, upload, register, and the new image tried. */
function quickstart() {
  const options = [
    "--emulate",
    "--try",
    "greet",
    "--state-dir",
    folder,
    "--result",
    join(folder, "result.json"),
  ];
  return time([process.execPath, cli, "build", "examples/quickstart/image.yaml", ...options], root);
}

function time([command, ...words], cwd) {
  // Where NODE_EXTRA_CA_CERTS is set, Node 20 reads the certificates on every start: 30 ms that are not ours. Packer would
  // ask the network for a newer version.
  const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;
  const env = { ...environment, CHECKPOINT_DISABLE: "1" };
  const start = process.hrtime.bigint();
  const { status, error, stderr, stdout } = spawnSync(command, words, { cwd, env, stdio: "pipe" });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${error ?? `${stdout}${stderr}`}`);
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

function toMarkdown({ machine, date, load, rows: measured, quickstartSeconds: seconds }) {
  const lines = measured.map(
    ({ name, ms, peer = "", ratio = "", allowed = "" }) =>
      `| \`${name}\` | ${ms} | ${peer && `\`${peer}\``} | ${ratio} | ${allowed} |`,
  );
  return `# Start of the command line

\`node bench/start-up.mjs ${runs}\` on ${date}: ${machine}, load ${load}; Packer 1.6.6 of Debian; medians of ${runs} runs that take
turns, ratios medians of the pairs, NODE_EXTRA_CA_CERTS unset.

| command | ms | held against | ratio | allowed |
|---|---|---|---|---|
${lines.join("\n")}

- [web.json](start-up/web.json) and [web.yaml](start-up/web.yaml) are the same image, one screen each; [plain.yaml](start-up/plain.yaml)
  is it without expressions, for which the CEL library is not loaded.
- fleet.yaml is a family of ${family.lines} lines (\`extends\`, presets, a matrix of two) over ${family.regions} regions of three partitions, 60 images
  ([start-up-family.mjs](start-up-family.mjs)).
- What a start loads is in three files (build.mjs, join-chunks.mjs).

The quickstart, from launch to the trial of its image: ${seconds} s (allowed: 60).
`;
}
