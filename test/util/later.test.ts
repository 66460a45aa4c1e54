import { expect, test } from "vitest";
import { toLater } from "../../src/util/later.ts";

test("days are counted from now; dates and times are in UTC", () => {
  const now = new Date("2026-11-25T10:00:00Z");
  expect(toLater("2d", now)?.toISOString()).toBe("2026-11-27T10:00:00.000Z");
  expect(toLater("2027-06-30", now)?.toISOString()).toBe("2027-06-30T00:00:00.000Z");
  expect(toLater("2027-06-30T12:30Z", now)?.toISOString()).toBe("2027-06-30T12:30:00.000Z");
  expect(toLater("2027-06-31", now)).toBeUndefined();
});
