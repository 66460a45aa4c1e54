import { expect, test } from "vitest";
import type { BuiltImage } from "../../src/image/built-image.ts";
import { type Retention, toVerdicts } from "../../src/image/retention.ts";
import type { Use } from "../../src/image/uses.ts";

const now = new Date("2026-11-25T12:00:00Z");

test("the newest stay, and the older ones go", () => {
  const images = [image("a", 1), image("c", 3), image("b", 2), image("d", 4)];
  expect(judge(images, { keep: 2, keepDays: null })).toEqual([
    ["a", true, "one of the newest 2"],
    ["b", true, "one of the newest 2"],
    ["c", false, "there are 2 newer ones"],
    ["d", false, "there are 2 newer ones"],
  ]);
});

test("each region, spec, variant and architecture has newest of its own", () => {
  const others = [
    image("b", 2, { account: { region: "eu-west-1" } }),
    image("c", 3, { spec: "db" }),
    image("d", 4, { variant: "small" }),
    image("e", 5, { architecture: "i386" }),
    image("f", 6, { account: { region: "us-east-1", profile: "gov" } }),
  ];
  const verdicts = judge([image("a", 1), ...others, image("g", 7)], { keep: 1, keepDays: null });
  expect(verdicts.filter(([, isKept]) => !isKept)).toEqual([["g", false, "there is a newer one"]]);
});

test("what is younger than the days stays, to the moment", () => {
  const images = [image("a", 0), image("b", 29.99), image("c", 30), image("d", 30.01)];
  expect(judge(images, { keep: 1, keepDays: 30 })).toEqual([
    ["a", true, "the newest; younger than 30 days"],
    ["b", true, "younger than 30 days"],
    ["c", true, "younger than 30 days"],
    ["d", false, "there is a newer one; older than 30 days"],
  ]);
});

test("what is in use stays, however old, and counts for none of the newest", () => {
  const uses: readonly Use[] = [
    { kind: "instance", id: "i-1", state: "running" },
    { kind: "launch-template", id: "lt-1", name: "web", version: 3 },
  ];
  const images = [image("a", 1), image("b", 2), image("c", 300)];
  expect(judge(images, { keep: 1, keepDays: null }, { c: uses })).toEqual([
    ["a", true, "the newest"],
    ["b", false, "there is a newer one"],
    ["c", true, "in use by instance i-1 (running); in use by launch template web (lt-1), version 3"],
  ]);
});

test("a protected image stays, since EC2 would not let it go", () => {
  const images = [image("a", 1), image("b", 2, { isProtected: true })];
  expect(judge(images, { keep: 1, keepDays: null })[1]).toEqual(["b", true, "protected from deregistration"]);
});

test("an image that is not available is no newest one, and is left alone", () => {
  const images = [image("a", 1, { state: "pending" }), image("b", 2), image("c", 3)];
  expect(judge(images, { keep: 1, keepDays: null })).toEqual([
    ["a", true, "its state is pending"],
    ["b", true, "the newest"],
    ["c", false, "there is a newer one"],
  ]);
});

function judge(
  images: readonly BuiltImage[],
  retention: Retention,
  uses: Readonly<Record<string, readonly Use[]>> = {},
): readonly (readonly [string, boolean, string])[] {
  return toVerdicts(images, ({ id }) => uses[id] ?? [], retention, now).map(
    ({ image: { id }, isKept, reasons }) => [id, isKept, reasons.join("; ")],
  );
}

function image(id: string, daysOld: number, facts: Partial<BuiltImage> = {}): BuiltImage {
  return {
    account: { region: "us-east-1" },
    id,
    name: id,
    spec: "web",
    variant: null,
    run: "r",
    state: "available",
    createdAt: new Date(now.getTime() - daysOld * 86_400_000).toISOString(),
    architecture: "x86_64",
    virtualization: "hvm",
    rootDeviceType: "instance-store",
    location: `b/${id}.manifest.xml`,
    isProtected: false,
    tags: {},
    ...facts,
  };
}
