import { expect, test } from "vitest";
import { nearest } from "../../src/util/nearest.ts";

test("the known word that is a slip away is found, and none when none is", () => {
  const known = ["instanceTypes", "subnet", "tags", "user", "us-east-1"];
  const words = ["instanceTyp", "Subnet", "tasg", "usr", "us-esat-1", "colour", "x", ""];
  expect(words.map((word) => nearest(word, known))).toEqual([
    "instanceTypes",
    "subnet",
    "tags",
    "user",
    "us-east-1",
    undefined,
    undefined,
    undefined,
  ]);
  expect(nearest("anything", [])).toBeUndefined();
});
