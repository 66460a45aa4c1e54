/** Lines around a change that are shown with it. */
const contextLines = 3;
/** Lines of one text times lines of the other; above that, not every line in common is found. */
const maxCells = 4_000_000;

type Line = { readonly sign: " " | "-" | "+"; readonly text: string };

/** A unified diff of two texts, as `diff -u` writes it; empty when they are the same. */
export function toUnifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return "";
  const lines = toLines(toRows(before), toRows(after));
  const hunks = toHunks(lines).map(([start, end]) => toHunk(lines, start, end));
  return `--- ${path}\n+++ ${path} (formatted)\n${hunks.join("")}`;
}

/** With their ends, since the last one may have none. */
function toRows(text: string): readonly string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** Both texts in one list: what they share, what is only in the one, what only in the other. */
function toLines(before: readonly string[], after: readonly string[]): readonly Line[] {
  const isSame = (x: number, y: number): boolean => before[x] === after[y];
  let start = 0;
  while (start < before.length && start < after.length && isSame(start, start)) start += 1;
  let [left, right] = [before.length, after.length];
  while (left > start && right > start && isSame(left - 1, right - 1)) {
    left -= 1;
    right -= 1;
  }
  const to = (sign: Line["sign"], texts: readonly string[]): Line[] => texts.map((text) => ({ sign, text }));
  return [
    ...to(" ", before.slice(0, start)),
    ...toEdits(before.slice(start, left), after.slice(start, right)),
    ...to(" ", before.slice(left)),
  ];
}

/** The longest common list of lines stays. */
function toEdits(before: readonly string[], after: readonly string[]): readonly Line[] {
  const commonFrom = newTable(before, after);
  const lines: Line[] = [];
  for (let [x, y] = [0, 0]; x < before.length || y < after.length; ) {
    const [one, other] = [before[x], after[y]];
    if (one !== undefined && one === other) {
      lines.push({ sign: " ", text: one });
      x += 1;
      y += 1;
    } else if (one !== undefined && (other === undefined || commonFrom(x + 1, y) >= commonFrom(x, y + 1))) {
      lines.push({ sign: "-", text: one });
      x += 1;
    } else {
      lines.push({ sign: "+", text: other ?? "" });
      y += 1;
    }
  }
  return lines;
}

/** How many lines two texts have in common from a line of each on; none that it knows of where they are too long. */
function newTable(before: readonly string[], after: readonly string[]): (x: number, y: number) => number {
  if (before.length * after.length > maxCells) return () => 0;
  const width = after.length + 1;
  const cells = new Uint32Array((before.length + 1) * width);
  const at = (x: number, y: number): number => cells[x * width + y] ?? 0;
  for (let x = before.length - 1; x >= 0; x -= 1) {
    for (let y = after.length - 1; y >= 0; y -= 1) {
      const isSame = before[x] === after[y];
      cells[x * width + y] = isSame ? at(x + 1, y + 1) + 1 : Math.max(at(x + 1, y), at(x, y + 1));
    }
  }
  return at;
}

/** Stretches of lines around changes; those that touch are one. */
function toHunks(lines: readonly Line[]): readonly (readonly [start: number, end: number])[] {
  const hunks: [number, number][] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    const last = hunks.at(-1);
    const end = Math.min(lines.length, index + contextLines + 1);
    if (last && index - contextLines <= last[1]) last[1] = end;
    else hunks.push([Math.max(0, index - contextLines), end]);
  }
  return hunks;
}

function toHunk(lines: readonly Line[], start: number, end: number): string {
  const shown = lines.slice(start, end);
  const rangeOf = (other: Line["sign"]): string => {
    const count = shown.filter(({ sign }) => sign !== other).length;
    const first = lines.slice(0, start).filter(({ sign }) => sign !== other).length + (count > 0 ? 1 : 0);
    return count === 1 ? `${first}` : `${first},${count}`;
  };
  const rows = shown
    .map(({ sign, text }) => `${sign}${text}${text.endsWith("\n") ? "" : missingEnd}`)
    .join("");
  return `@@ -${rangeOf("+")} +${rangeOf("-")} @@\n${rows}`;
}

const missingEnd = "\n\\ No newline at end of file\n";
