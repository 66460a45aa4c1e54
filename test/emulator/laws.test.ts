import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = import.meta.dirname;

test("every law of the emulator has a test, and every numbered test a law", () => {
  const laws = readFileSync(join(folder, "laws.md"), "utf8").matchAll(/^- \*\*([A-Z0-9]+-\d+)\*\*/gm);
  const texts = [folder, join(folder, "../vm")].flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(join(place, name), "utf8")),
  );
  const titles = texts.flatMap((text) => [
    ...text.matchAll(/test(?:\.(?:each|for)\(.*?\))?\(\s*"([A-Z0-9]+-\d+) /g),
  ]);
  const tested = new Set(titles.map(([, number]) => number));
  expect([...tested].sort()).toEqual([...laws].map(([, number]) => number).sort());
});
