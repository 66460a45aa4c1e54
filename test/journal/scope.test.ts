import { expect, test } from "vitest";
import type { Entry, Journal } from "../../src/journal/journal.ts";
import { unreleased } from "../../src/journal/journal.ts";
import { RunScope, type ScopeOptions } from "../../src/journal/new-scope.ts";
import type { Resource } from "../../src/journal/resource.ts";
import { Problem } from "../../src/problem.ts";
import { noCloud } from "../run/rig.ts";

test("what was acquired last is released first", async () => {
  const { scope, told } = newScope();
  const mine = scope.forTask("r/launch", never());
  for (const name of ["key", "group", "instance"]) await mine.acquire(toThing(), name);
  await scope[Symbol.asyncDispose]();
  expect(told).toEqual([
    "acquired thing key",
    "acquired thing group",
    "acquired thing instance",
    "released thing instance",
    "released thing group",
    "released thing key",
  ]);
});

test("a thing that will not go is told with reason and command, and the others still go", async () => {
  const { scope, told, journal } = newScope();
  const mine = scope.forTask("r/launch", never());
  const stubborn = toThing(() => Promise.reject(new Error("DependencyViolation: in use")));
  await mine.acquire(toThing(), "key");
  await mine.acquire(stubborn, "group");
  await scope[Symbol.asyncDispose]();
  expect(told.slice(2)).toEqual([
    "leaked thing group: DependencyViolation: in use; rm group",
    "released thing key",
  ]);
  expect(scope.leaked).toEqual([
    {
      kind: "thing",
      name: "thing group",
      task: "r/launch",
      reason: "DependencyViolation: in use",
      byHand: "rm group",
    },
  ]);
  expect(unreleased(journal.entries).map(({ record }) => record)).toEqual(["group"]);
});

test("a thing that was made but could not be noted is given back by the process that made it", async () => {
  const entries: Entry[] = [];
  const full = new Problem("disk-full", "no room");
  const { scope, told } = newScope({ journal: { entries, append: () => Promise.reject(full) } });
  await expect(scope.forTask("r/launch", never()).acquire(toThing(), "key")).rejects.toBe(full);
  await scope[Symbol.asyncDispose]();
  expect(told).toEqual(["released thing key"]);
});

test("cleaning up goes on though the task's own signal is aborted", async () => {
  const { scope, told } = newScope();
  const stop = new AbortController();
  const mine = scope.forTask("r/launch", stop.signal);
  await mine.acquire(
    toThing((_name, signal) => {
      signal.throwIfAborted();
      return Promise.resolve();
    }),
    "key",
  );
  stop.abort(new Problem("interrupted", "SIGINT"));
  await expect(mine.acquire(toThing(), "late")).rejects.toThrow("SIGINT");
  await scope[Symbol.asyncDispose]();
  expect(told).toEqual(["acquired thing key", "released thing key"]);
});

test("the second request to stop ends the cleaning, and tells what is left", async () => {
  const abandon = new AbortController();
  const { scope, told } = newScope({ abandon: abandon.signal });
  const mine = scope.forTask("r/launch", never());
  // A release that pays its signal no heed.
  const endless = toThing(() => {
    abandon.abort(new Problem("interrupted", "SIGINT"));
    return new Promise(() => undefined);
  });
  await mine.acquire(toThing(), "key");
  await mine.acquire(endless, "instance");
  await scope[Symbol.asyncDispose]();
  expect(told.slice(2)).toEqual([
    "leaked thing instance: cleaning up was stopped; rm instance",
    "leaked thing key: cleaning up was stopped; rm key",
  ]);
});

test("a release that does not end is given up after its deadline", async () => {
  const { scope } = newScope({ releaseDeadlineMs: 10 });
  await scope.forTask("r/launch", never()).acquire(
    toThing(() => new Promise(() => undefined)),
    "instance",
  );
  await scope[Symbol.asyncDispose]();
  expect(scope.leaked.map(({ reason }) => reason)).toEqual(["no end after 0.01 s"]);
});

test("tasks may be relieved early of what they made, and what does not go is tried again at the end", async () => {
  let tries = 0;
  const shy = toThing(() => (tries++ === 0 ? Promise.reject(new Error("not yet")) : Promise.resolve()));
  const { scope, told } = newScope();
  await scope.forTask("r/launch", never()).acquire(toThing(), "key");
  await scope.forTask("r/launch", never()).acquire(shy, "group");
  await scope.forTask("r/upload", never()).acquire(toThing(), "object");
  await scope.forTask("r/clean", never()).releaseOf(["r/launch"]);
  expect(told.slice(3)).toEqual([
    "r/launch: thing group would not go, and is tried again at the end: not yet",
    "released thing key",
  ]);
  await scope[Symbol.asyncDispose]();
  expect(told.slice(5)).toEqual(["released thing object", "released thing group"]);
  expect(scope.leaked).toEqual([]);
});

test("a product is no longer given back, here or by a later clean", async () => {
  const { scope, told, journal } = newScope();
  await scope.forTask("r/upload", never()).acquire(toThing(), "object");
  await scope.forTask("r/register", never()).keepOf(["r/upload"]);
  await scope[Symbol.asyncDispose]();
  expect(told).toEqual(["acquired thing object", "kept thing object"]);
  expect(unreleased(journal.entries)).toEqual([]);
});

test("scratch is given back also when the rest of its task is kept", async () => {
  const { scope, told } = newScope();
  const mine = scope.forTask("r/bundle", never());
  await mine.acquire({ ...toThing(), isScratch: true }, "spool");
  await mine.acquire(toThing(), "object");
  await scope.forTask("r/register", never()).keepOf(["r/bundle"]);
  await scope[Symbol.asyncDispose]();
  expect(told.slice(2)).toEqual(["kept thing object", "released thing spool"]);
});

test("what is left on purpose is found by a later clean", async () => {
  const { scope, told, journal } = newScope();
  await scope.forTask("bad/launch", never()).acquire(toThing(), "instance");
  await scope.forTask("good/launch", never()).acquire(toThing(), "key");
  expect(scope.leave((task) => task.startsWith("bad/"))).toMatchObject([
    { name: "thing instance", reason: null },
  ]);
  await scope[Symbol.asyncDispose]();
  expect(told.slice(2)).toEqual(["left thing instance; rm instance", "released thing key"]);
  expect(unreleased(journal.entries).map(({ record }) => record)).toEqual(["instance"]);
});

test("a journal that names a kind nobody knows leaves that thing, and says so", async () => {
  const entry: Entry = { type: "acquired", id: 7, task: "r/a", kind: "moon", record: { of: "Saturn" } };
  const { scope } = newScope({ journal: toJournal([entry]) });
  scope.takeOver(new Map());
  await scope[Symbol.asyncDispose]();
  expect(scope.leaked).toMatchObject([
    { name: 'moon {"of":"Saturn"}', reason: "this imgspec does not know how to release moon" },
  ]);
});

function toThing(
  release: (name: string, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
): Resource<string, string> {
  return {
    kind: "thing",
    acquire: (name) => Promise.resolve(name),
    release: (name, { signal }) => release(name, signal),
    describe: (name) => `thing ${name}`,
    byHand: (name) => `rm ${name}`,
  };
}

function toJournal(before: readonly Entry[] = []): Journal {
  const entries = [...before];
  return {
    entries,
    append: (entry) => {
      entries.push(entry);
      return Promise.resolve();
    },
  };
}

function newScope(options: Partial<ScopeOptions> = {}): {
  scope: RunScope;
  told: string[];
  journal: Journal;
} {
  const told: string[] = [];
  const journal = options.journal ?? toJournal();
  const scope = new RunScope({
    cloud: noCloud,
    abandon: never(),
    onChange: ({ change, name, reason, byHand }) =>
      told.push(`${change} ${name}${reason ? `: ${reason}` : ""}${byHand ? `; ${byHand}` : ""}`),
    log: (task, line) => told.push(`${task}: ${line}`),
    ...options,
    journal,
  });
  return { scope, told, journal };
}

function never(): AbortSignal {
  return new AbortController().signal;
}
