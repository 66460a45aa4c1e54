import { median } from "./bundle-report.mjs";

const amazons = "ec2-bundle-vol";
const mib = 2 ** 20;

/** The results as Markdown. */
export function toReport(facts) {
  const { seen, copies, bundles, machine, tools, date, files, usedMib, imageMib, cores } = facts;
  const types = ["ext4", "xfs"];
  const ways = ["at: builder", "at: instance, pigz", "at: instance, gzip", amazons];
  return `# The volume copy and the two ways to bundle

Made by \`node bench/volume-copy.mjs ${facts.mib} ${copies} ${bundles}\` on ${date}: a root of ${files} files from Debian's /usr, ${usedMib} MiB on the
disk, in the page cache, into an image of ${imageMib} MiB; ${machine}; ${tools.join(", ")}. All ways took turns, so that whatever
else the machine did fell on all of them alike: trust the ratios, which are medians of the pairs. Load is that of just before each run.
${warningOf(seen, cores)}
## The copy of the tree

From the start of the program to the finished image on the disk, synced. Ours is all of it, with the default search for keys and
traces and the measuring of the files; rsync is \`truncate\`, \`mkfs\`, \`mount -o loop\`, \`rsync -aHAX\`, \`umount\`, sync.

| copy | seconds | CPU s | scratch MiB | wall / rsync | CPU / rsync | load |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${types.flatMap((type) => ["volume copy", "rsync -aHAX"].map((way) => copyRow(seen, type, way))).join("\n")}

${types.map((type) => `${type}: ${phasesOf(seen[`${type}: volume copy`])}.`).join(" ")}

## From the start of the copy to the last object in S3

Over OpenSSH's sshd on loopback; S3 is the emulator's, in a process that is counted on neither side. ${amazons} stands for what that
and ec2-upload-bundle run (\`dd\`, \`mkfs.ext4\`, rsync with its filter, tar, \`tee\` to SHA-1, gzip -9, openssl, split, SHA-1 of each part, one curl
after the other), without Ruby. Ours is level 5 in each way. CPU seconds are of all processes of a side (control groups);
memory is the peak of what no file on a disk stands for, with the parts in \`/dev/shm\`; scratch is the peak on the instance's disk.

| way | seconds | CPU s instance | CPU s builder | MiB instance | MiB builder | scratch MiB | bundle MB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${ways.map((way) => bundleRow(seen, way)).join("\n")}

Against ${amazons}:

| way | wall | CPU of both | CPU of the instance | scratch | load |
| --- | ---: | ---: | ---: | ---: | ---: |
${ways.map((way) => ratioRow(seen, way)).join("\n")}

## How to read it

- Both sides share ${cores} cores here. On AWS each has its own: \`at: builder\` then takes hardly anything of the instance, and
  \`at: instance\` hardly anything of the builder.
- Loopback costs nothing. Over a network \`at: builder\` moves the image (${imageMib} MiB, holes included) over SSH and then the bundle to S3;
  \`at: instance\` and ${amazons} move only the bundle, from the instance to S3.
- The builder's own disk holds the bundle with \`at: builder\`; it is a memory file system here, and not counted.
- \`gzip\` is what \`at: instance\` takes where pigz is not installed, as on most AMIs.
- CPU seconds leave out what the kernel does for loop devices in threads of its own, which is in favour of rsync and ${amazons}.
`;
}

function copyRow(seen, type, way) {
  const runs = seen[`${type}: ${way}`];
  const base = seen[`${type}: rsync -aHAX`];
  const cells = [
    `${type}: ${way}`,
    mid(runs, ({ wall }) => wall).toFixed(1),
    mid(runs, cpuOf).toFixed(1),
    toMib(mid(runs, ({ scratchBytes }) => scratchBytes)),
    ratio(runs, base, ({ wall }) => wall),
    ratio(runs, base, cpuOf),
    loads(runs),
  ];
  return `| ${cells.join(" | ")} |`;
}

function bundleRow(seen, way) {
  const runs = seen[way];
  const of = (number) => mid(runs, number);
  const hasBuilder = runs[0].cpu.builder !== undefined;
  const cells = [
    way,
    of(({ wall }) => wall).toFixed(1),
    of(({ cpu }) => cpu.instance).toFixed(1),
    hasBuilder ? of(({ cpu }) => cpu.builder).toFixed(1) : "0",
    toMib(of(({ peaks }) => peaks.instance)),
    hasBuilder ? toMib(of(({ peaks }) => peaks.builder)) : "0",
    toMib(of(({ scratchBytes }) => scratchBytes)),
    (of(({ bundledSizeBytes }) => bundledSizeBytes) / 1e6).toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

function ratioRow(seen, way) {
  const numbers = [({ wall }) => wall, cpuOf, ({ cpu }) => cpu.instance, ({ scratchBytes }) => scratchBytes];
  const cells = numbers.map((number) => ratio(seen[way], seen[amazons], number));
  return `| ${[way, ...cells, loads(seen[way])].join(" | ")} |`;
}

/** What a busy machine does to the numbers. */
function warningOf(seen, cores) {
  const most = Math.max(...Object.values(seen).flatMap((runs) => runs.map(({ load }) => Number(load))));
  if (most <= cores + 1) return "";
  return `
**The machine was busy with other work** (load up to ${most} on ${cores} cores): seconds and their ratios say little here, CPU seconds,
memory and scratch hold. Run it again on an idle machine before quoting any.
`;
}

/** How long each phase of the volume copy took. */
function phasesOf(runs) {
  const titles = ["mounts and masks", "looking for keys and traces", "measuring", "writing", "sync"];
  const lengths = runs.map(({ phases, wall }) => {
    const times = [0, ...phases.map(([, seconds]) => seconds), wall];
    return times.slice(1).map((seconds, index) => seconds - times[index]);
  });
  return titles
    .map((title, index) => `${title} ${median(lengths.map((all) => all[index])).toFixed(1)} s`)
    .join(", ");
}

function cpuOf({ cpu }) {
  return Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0);
}

function mid(runs, number) {
  return median(runs.map(number));
}

function ratio(runs, base, number) {
  return median(runs.map((run, index) => number(run) / number(base[index]))).toFixed(2);
}

function loads(runs) {
  return runs.map(({ load }) => load).join(" ");
}

function toMib(bytes) {
  return String(Math.round(bytes / mib));
}
