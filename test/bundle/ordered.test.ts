import { expect, test } from "vitest";
import { inOrder } from "../../src/bundle/ordered.ts";

test("results come in the order of the items, whichever is ready first", async () => {
  const jobs = [job(), job(), job()];
  const results = collect(inOrder(jobs, 3, ({ done }) => done));
  jobs[2]?.finish("c");
  jobs[0]?.finish("a");
  jobs[1]?.finish("b");
  expect(await results).toEqual(["a", "b", "c"]);
});

test("no more items are worked on at once than allowed", async () => {
  let working = 0;
  let most = 0;
  const items = Array.from({ length: 20 }, (_, index) => index);
  const results = inOrder(items, 4, async (item) => {
    working += 1;
    most = Math.max(most, working);
    await new Promise((resolve) => setImmediate(resolve));
    working -= 1;
    return item;
  });
  expect(await collect(results)).toEqual(items);
  expect(most).toBe(4);
});

test("a failure is told only when what else was begun has ended", async () => {
  const [bad, slow] = [job(), job()];
  const told: string[] = [];
  const results = collect(inOrder([bad, slow], 2, ({ done }) => done)).catch(() => told.push("failed"));
  bad.fail(new Error("broken"));
  await new Promise((resolve) => setImmediate(resolve));
  told.push("slow ends");
  slow.finish("late");
  await results;
  expect(told).toEqual(["slow ends", "failed"]);
});

type Job = { readonly done: Promise<string>; finish(value: string): void; fail(error: Error): void };

function job(): Job {
  const handles: Partial<Pick<Job, "finish" | "fail">> = {};
  const done = new Promise<string>((resolve, reject) => {
    Object.assign(handles, { finish: resolve, fail: reject });
  });
  return { done, finish: (value) => handles.finish?.(value), fail: (error) => handles.fail?.(error) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
