import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Meter } from "../../src/report/meter.ts";
import { Output } from "../../src/report/output.ts";

const mib = 1024 * 1024;

test("work that is over within a second is not told of", () => {
  expect(told({ isTerminal: true }, [[999, 50]])).toBe("");
});

test("a log gets a line after a second and then one each five seconds", () => {
  const steps = [1000, 1500, 3000, 5999, 6000, 8000, 11_000].map((ms) => [ms, ms / 1000] as const);
  expect(told({ isTerminal: false }, steps)).toBe(
    [
      "bundling web 1 %, 1.0 MiB of 100 MiB, 1.0 MiB/s, 1m 39s left",
      "bundling web 6 %, 6.0 MiB of 100 MiB, 1.0 MiB/s, 1m 34s left",
      "bundling web 11 %, 11.0 MiB of 100 MiB, 1.0 MiB/s, 1m 29s left",
      "",
    ].join("\n"),
  );
});

test("the line of a terminal is drawn again in place, and cleared at the end", () => {
  const text = told({ isTerminal: true }, [
    [1000, 10],
    [1050, 11],
    [1100, 12],
  ]);
  expect(text.split("\r\x1b[2K")).toEqual([
    "",
    "bundling web █░░░░░░░░░ 10 %, 10.0 MiB of 100 MiB, 10.0 MiB/s, 9.0s left",
    "bundling web █░░░░░░░░░ 12 %, 12.0 MiB of 100 MiB, 10.3 MiB/s, 8.5s left",
    "",
  ]);
});

test("a line is as long as the terminal is wide, and one that tells no width has 80 columns", () => {
  const line = "bundling web █░░░░░░░░░ 10 %, 10.0 MiB of 100 MiB, 10.0 MiB/s, 9.0s left";
  const drawn = (columns: number): string | undefined =>
    told({ isTerminal: true, columns }, [[1000, 10]]).split("\r\x1b[2K")[1];
  expect([drawn(0), drawn(30)]).toEqual([line, `${line.slice(0, 28)}…`]);
});

test("a line is cleared once, and what is printed afterwards stays", () => {
  const stream = new PassThrough();
  const out = new Output(stream, () => undefined);
  let now = 0;
  const meter = new Meter({ out, what: "bundling web", totalBytes: mib, isTerminal: true, now: () => now });
  now = 1000;
  meter.update(mib);
  meter[Symbol.dispose]();
  out.write("done");
  meter[Symbol.dispose]();
  expect(String(stream.read()).endsWith("left\r\x1b[2Kdone")).toBe(true);
});

test("work that stands still, begins anew or has nothing to do tells no time left that is wrong", () => {
  const steps = [
    [1000, 0],
    [20_000, 0],
  ] as const;
  expect(told({ isTerminal: false }, steps)).toContain("0 %, 0 B of 100 MiB, 0 B/s\n");
  expect(told({ isTerminal: false, totalBytes: 0 }, [[1000, 0]])).toBe(
    "bundling web 100 %, 0 B of 0 B, 0 B/s\n",
  );
  const anew = [
    [2000, 50],
    [20_000, 1],
  ] as const;
  expect(told({ isTerminal: false }, anew)).toContain("\nbundling web 1 %, 1.0 MiB of 100 MiB, 0 B/s\n");
});

function told(
  options: { isTerminal: boolean; totalBytes?: number; columns?: number },
  steps: readonly (readonly [ms: number, mib: number])[],
): string {
  const stream = Object.assign(
    new PassThrough(),
    options.columns === undefined ? {} : { columns: options.columns },
  );
  let now = 0;
  {
    using meter = new Meter({
      out: new Output(stream, () => undefined),
      what: "bundling web",
      totalBytes: 100 * mib,
      now: () => now,
      ...options,
    });
    for (const [ms, done] of steps) {
      now = ms;
      meter.update(done * mib);
    }
  }
  return (stream.read() as Buffer | null)?.toString() ?? "";
}
