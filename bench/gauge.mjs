import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";

const samplesMs = 100;

/** Processes that are measured together, with all that they start: a control group (version 2; needs root). */
export class Group {
  #directory;
  #memory;

  /** `memory`: a memory file system that belongs to them, too. */
  constructor(name, memory = null) {
    const mount = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) =>
      existsSync(join(path, "cgroup.procs")),
    );
    if (mount === undefined) throw new Error("there are no control groups (version 2) in /sys/fs/cgroup");
    this.#directory = join(mount, `imgspec-bench-${process.pid}-${name}`);
    this.#memory = memory;
    mkdirSync(this.#directory);
  }

  /** To write a process's id to. */
  get procs() {
    return join(this.#directory, "cgroup.procs");
  }

  add(pid) {
    writeFileSync(this.procs, String(pid));
  }

  cpuSeconds() {
    return (
      Number(/^usage_usec (\d+)/m.exec(readFileSync(join(this.#directory, "cpu.stat"), "utf8"))[1]) / 1e6
    );
  }

  pids() {
    return readFileSync(this.procs, "utf8").split("\n").filter(Boolean);
  }

  /** Memory that no file on a disk stands for: the page cache is whose the kernel wants it to be. */
  memoryBytes() {
    const own = this.pids().reduce((sum, pid) => sum + anonymousBytes(pid), 0);
    return own + (this.#memory === null ? 0 : usedBytes(this.#memory));
  }

  end() {
    for (const pid of this.pids()) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has just ended.
      }
    }
    // A group goes when its last process was reaped, a moment later.
    const remove = (triesLeft) => {
      try {
        rmdirSync(this.#directory);
      } catch (error) {
        if (triesLeft === 0) throw error;
        setTimeout(remove, 100, triesLeft - 1);
      }
    };
    remove(30);
  }
}

/** Seconds, CPU seconds and peak memory of each group, and the peak of what is in a directory, while work goes on. */
export async function measure(groups, directory, work) {
  const names = Object.keys(groups);
  const load = loadavg()[0].toFixed(1);
  const cpuBefore = names.map((name) => groups[name].cpuSeconds());
  const peaks = Object.fromEntries(names.map((name) => [name, 0]));
  let scratchBytes = 0;
  const sample = () => {
    for (const name of names) peaks[name] = Math.max(peaks[name], groups[name].memoryBytes());
    scratchBytes = Math.max(scratchBytes, scratchOf(directory, Object.values(groups)));
  };
  const timer = setInterval(sample, samplesMs);
  const began = performance.now();
  try {
    const result = await work();
    const wall = (performance.now() - began) / 1000;
    sample();
    const cpus = names.map((name, index) => [name, groups[name].cpuSeconds() - cpuBefore[index]]);
    return { wall, cpu: Object.fromEntries(cpus), peaks, scratchBytes, load, ...result };
  } finally {
    clearInterval(timer);
  }
}

function anonymousBytes(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+)/gm)].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
    return kib * 1024;
  } catch {
    return 0;
  }
}

/** On the disk of a directory: files in it and below, and those without a name that a process holds. */
function scratchOf(directory, groups) {
  const { dev } = statSync(directory);
  const held = groups
    .flatMap((group) => group.pids())
    .flatMap((pid) => namesIn(`/proc/${pid}/fd`))
    .map((path) => statSync(path, { throwIfNoEntry: false }))
    .filter((stats) => stats?.nlink === 0);
  const named = namesIn(directory)
    .flatMap((path) => [path, ...namesIn(path)])
    .map((path) => lstatSync(path, { throwIfNoEntry: false }));
  const files = [...held, ...named].filter((stats) => stats?.isFile() && stats.dev === dev);
  const sizes = new Map(files.map(({ ino, blocks }) => [ino, blocks * 512]));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** None when it is no directory, or no more. */
function namesIn(directory) {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function usedBytes(path) {
  const { bsize, blocks, bfree } = statfsSync(path);
  return (blocks - bfree) * bsize;
}
