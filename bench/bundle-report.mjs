/** As `mostThreads` in src/bundle/pack.ts. */
const deflateThreads = 6;

/** The results as Markdown. */
export function toReport(facts) {
  const { seen, rounds, defaultLevel, machine, date, gib } = facts;
  const base = "Amazon's, gzip -9";
  const ours = `ours, level ${defaultLevel}`;
  const shell = "unbundle: cat, openssl, gzip -d, tar";
  const packing = Object.keys(seen)
    .filter((name) => !name.includes(":"))
    .sort(byName);
  const unpacking = Object.keys(seen).filter((name) => name.startsWith("unbundle"));
  const model = toModel(facts);
  const zeros = (name) => median(seen[`zeros: ${name}`].map(({ wall }) => wall));
  const ideal = facts.seen[ours].map(({ wall, cpu }) => cpu / facts.cores / wall);
  return `# Bundling: our engine and Amazon's pipeline

Made by \`node bench/bundle.mjs ${rounds}\` on ${date}: an ext4 image of ${gib} GiB, two thirds full of Debian's /usr, in the
page cache; ${machine}. Amazon's is the pipeline that ec2-bundle-image runs (tar, tee to SHA-1, gzip -9, openssl, split,
SHA-1 of each part), without its Ruby; both leave the holes of the image out. The default level (${defaultLevel}), unbundling and Amazon's run in turns, as often as the number says; the rest once. The last column
is the load of other work just before each run. Above ${facts.cores} it has more than all of the machine: then the seconds say
nothing of what a parallel program does on an idle one, and only CPU seconds, sizes and memory can be held against each
other. Ratios are medians of the pairs; memory is the peak of the largest process.

| bundling | seconds | CPU s | MiB | size | wall / Amazon's | CPU / Amazon's | size / gzip -9 | load |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${packing.map((name) => row(seen, name, base, true)).join("\n")}

| unbundling | seconds | CPU s | MiB | wall / shell | CPU / shell | load |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${unpacking.map((name) => row(seen, name, shell, false)).join("\n")}

An image of ${facts.zerosGib} GiB of zeros is bundled in ${zeros("ours").toFixed(1)} s; \`cat\` takes ${zeros("cat").toFixed(1)} s to read it.

## Where the time goes, and what more cores do

At the default level the main thread works ${model.main.toFixed(2)} s per GiB, the thread of the tar stream's SHA-1
${model.sha1.toFixed(2)} s, that of the cipher and the parts' SHA-1 ${model.cipher.toFixed(2)} s. None of these is split further. Deflate, which is nearly all
else, has a thread for each core, at most ${deflateThreads}: with so many it takes ${model.deflate.toFixed(2)} s per GiB. The largest of all is the floor. The run kept ${facts.cores} cores busy for ${percent(median(ideal))} of its seconds.

| cores | seconds per GiB, modelled | MiB/s |
| ---: | ---: | ---: |
${model.curve.map(({ cores, seconds }) => `| ${cores} | ${seconds.toFixed(1)} | ${(1024 / seconds).toFixed(0)} |`).join("\n")}

Modelled as the larger of all CPU seconds over the cores and the busiest single thread: an ideal that no scheduler quite
reaches.

![CPU seconds per GiB of each way, and seconds per GiB by cores](bundle.svg)
`;
}

/** What the measured stages allow on more cores. */
export function toModel({ seen, defaultLevel, threads, gib }) {
  const runs = seen[`ours, level ${defaultLevel}`];
  const of = (key) => median(runs.map((run) => run[key])) / gib;
  const packedShare = of("bytes") / 2 ** 30;
  const stages = {
    main: of("main"),
    sha1: threads.sha1,
    cipher: (threads.aes + threads.sha1) * packedShare,
  };
  const inOneThread = Object.values(stages).reduce((sum, seconds) => sum + seconds, 0);
  const deflate = (of("cpu") - inOneThread) / deflateThreads;
  const floor = Math.max(deflate, ...Object.values(stages));
  const curve = [1, 2, 4, 8, 16].map((cores) => ({ cores, seconds: Math.max(of("cpu") / cores, floor) }));
  return { ...stages, deflate, curve };
}

function row(seen, name, base, isPacking) {
  const runs = seen[name];
  const of = (key) => median(runs.map((run) => run[key]));
  const ratio = (key) => {
    // A way that ran once is held against the median.
    const pairs = runs.map(
      (run, index) =>
        run[key] /
        (runs.length === seen[base].length
          ? seen[base][index][key]
          : median(seen[base].map((one) => one[key]))),
    );
    return median(pairs).toFixed(3);
  };
  const load = runs.map((run) => run.load).join(" ");
  const cells = [name.replace("unbundle: ", ""), of("wall").toFixed(1), of("cpu").toFixed(1), of("mib")];
  const sizes = [`${(of("bytes") / 1e6).toFixed(1)} MB`];
  const all = isPacking
    ? [...cells, ...sizes, ratio("wall"), ratio("cpu"), ratio("bytes"), load]
    : [...cells, ratio("wall"), ratio("cpu"), load];
  return `| ${all.join(" | ")} |`;
}

function byName(a, b) {
  return Number(b.startsWith("Amazon")) - Number(a.startsWith("Amazon")) || (a < b ? -1 : 1);
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
