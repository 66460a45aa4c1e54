import { expect, test } from "vitest";
import { type Column, toTable } from "../../src/report/table.ts";

type Row = { readonly id: string; readonly when: string; readonly name: string };

const columns: readonly Column<Row>[] = [
  { title: "ID", of: ({ id }) => id },
  { title: "WHEN", of: ({ when }) => when, goes: 0 },
  { title: "NAME", of: ({ name }) => name, least: 6 },
];
const rows: readonly Row[] = [
  { id: "ami-1", when: "2026", name: "web" },
  { id: "ami-22", when: "2025", name: "a rather long name" },
];

test("a table is as wide as its texts, without blanks at the ends of lines", () => {
  expect(toTable(columns, rows, null)).toBe(
    "ID      WHEN  NAME\nami-1   2026  web\nami-22  2025  a rather long name",
  );
  expect(toTable(columns, rows, 80)).toBe(toTable(columns, rows, null));
});

test("where there is less room the text that may be cut is cut first, then columns go, and an id never", () => {
  expect(toTable(columns, rows, 24)).toBe("ID      WHEN  NAME\nami-1   2026  web\nami-22  2025  a rather …");
  expect(toTable(columns, rows, 18)).toBe("ID      NAME\nami-1   web\nami-22  a rather …");
  expect(toTable(columns, rows, 5)).toBe("ID      NAME\nami-1   web\nami-22  a rat…");
});
