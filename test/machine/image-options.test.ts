import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../templates/instance/image");
const programs = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);
const main = programs.find(([name]) => name === "main.sh")?.[1] ?? "";

test("nothing that the image program reads from a file takes the place of what it was asked for", () => {
  // Shell functions share their variables, so a loop over a file that calls a field `key` would forget the key.
  const asked = [...main.matchAll(/^\s+--[a-z-]+\) ([a-z_]+)=\$2 ;;/gm)].flatMap(([, name]) => name ?? []);
  expect(asked).toContain("key");
  const taken = programs.flatMap(([file, text]) =>
    [...text.matchAll(/\bread -r ([a-z_ ]+?)(?:;| <|$)/gm)]
      .flatMap(([, names]) => names?.split(" ") ?? [])
      // The start of a root is asked for in tests only, and found on the disk otherwise.
      .filter((name) => asked.includes(name) && name !== "start")
      .map((name) => `${file}: ${name}`),
  );
  expect(taken).toEqual([]);
});
