import { expect, test } from "vitest";
import { toBytes } from "../../src/command/bundle-options.ts";
import { toCodes, toLevel, toMappings } from "../../src/command/bundle-values.ts";

test("mappings add up over several options", () => {
  expect(toMappings("ephemeral0=sdb", toMappings("ami=sda1,root=/dev/sda1"))).toEqual([
    { virtual: "ami", device: "sda1" },
    { virtual: "root", device: "/dev/sda1" },
    { virtual: "ephemeral0", device: "sdb" },
  ]);
});

test.each(["ami", "=sda1", "ami=", "ami=sda1,", "a b=c"])("%j is no mapping", (value) => {
  expect(() => toMappings(value)).toThrow("write it as virtual=device");
});

test("a name is mapped once", () => {
  expect(() => toMappings("ami=sdb", toMappings("ami=sda"))).toThrow("ami is mapped twice");
});

test("each product code stands by itself", () => {
  expect(toCodes("C", toCodes("A, B,"))).toEqual(["A", "B", "C"]);
});

test("a size is a number of bytes, or of a unit", () => {
  expect(["512", "1 KiB", "3MiB", "10GiB", "1TiB"].map(toBytes)).toEqual([
    512, 1024, 3_145_728, 10_737_418_240, 1_099_511_627_776,
  ]);
  for (const value of ["", "10G", "-1", "1.5GiB", "99999999999999999999", "GiB"])
    expect(() => toBytes(value)).toThrow();
});

test("a level is 1 to 9", () => {
  expect(["1", "9"].map(toLevel)).toEqual([1, 9]);
  for (const value of ["0", "10", "x", ""]) expect(() => toLevel(value)).toThrow("a level is 1 to 9");
});
