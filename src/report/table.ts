import { toFit } from "./format.ts";

export type Column<T> = {
  readonly title: string;
  readonly of: (row: T) => string;
  /** Where there is no room, columns go by this, the lowest first; absent: it stays. */
  readonly goes?: number;
  /** Where there still is no room, its texts are cut, but never to less than so many characters. */
  readonly least?: number;
};

const gap = "  ";

/** Rows in columns, a heading above them, one line each. `width`: of the terminal; null: as wide as it comes. */
export function toTable<T>(columns: readonly Column<T>[], rows: readonly T[], width: number | null): string {
  const cells = columns.map((column) => {
    const texts = [column.title, ...rows.map((row) => column.of(row))];
    return { column, texts, width: Math.max(...texts.map(({ length }) => length)) };
  });
  const shown = toShown(cells, width);
  const spare = width === null ? 0 : Math.max(0, widthOf(shown) - width);
  const cut = shown.find(({ column }) => column.least !== undefined);
  const widths = shown.map((one) =>
    one === cut ? Math.max(cut.column.least ?? 0, one.width - spare) : one.width,
  );
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    shown
      .map(({ texts }, index) => toFit(texts[line] ?? "", widths[index] ?? 0).padEnd(widths[index] ?? 0))
      .join(gap)
      .trimEnd(),
  ).join("\n");
}

type Cells<T> = {
  readonly column: Column<T>;
  readonly texts: readonly string[];
  readonly width: number;
};

function toShown<T>(cells: readonly Cells<T>[], width: number | null): readonly Cells<T>[] {
  const going = cells
    .filter(({ column }) => column.goes !== undefined)
    .sort((a, b) => (a.column.goes ?? 0) - (b.column.goes ?? 0));
  let shown = cells;
  for (const one of going) {
    if (width === null || leastOf(shown) <= width) break;
    shown = shown.filter((other) => other !== one);
  }
  return shown;
}

function widthOf(cells: readonly Cells<never>[]): number {
  return cells.reduce((sum, { width }) => sum + width + gap.length, -gap.length);
}

function leastOf(cells: readonly Cells<never>[]): number {
  const cut = cells.find(({ column }) => column.least !== undefined);
  return widthOf(cells) - (cut === undefined ? 0 : Math.max(0, cut.width - (cut.column.least ?? 0)));
}
