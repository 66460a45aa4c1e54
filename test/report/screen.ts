/** As much of a terminal as the tree needs: what would be on the screen after all that was written. */
export function toScreen(written: string, columns: number): readonly string[] {
  const lines: string[] = [""];
  let row = 0;
  let column = 0;
  const put = (character: string): void => {
    if (column === columns) newline();
    const line = (lines[row] ?? "").padEnd(column);
    lines[row] = line.slice(0, column) + character + line.slice(column + 1);
    column += 1;
  };
  const newline = (): void => {
    row += 1;
    column = 0;
    lines[row] ??= "";
  };
  const move = (count: string, command: string): void => {
    if (command === "A") row = Math.max(0, row - Number(count || "1"));
    if (command === "G") column = Math.max(0, Number(count || "1") - 1);
    if (command === "K") lines[row] = "";
    if (command === "H") row = column = 0;
    if (command === "J") lines.length = row;
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals speak in them
  for (const [token, count, command] of written.matchAll(/\u001b\[\??(\d*)(?:;\d+)?([A-Za-z])|./gsu)) {
    if (command !== undefined) move(count ?? "", command);
    else if (token === "\n") newline();
    else if (token === "\r") column = 0;
    else put(token);
  }
  return lines.map((line) => line.trimEnd());
}
