// Draws what a terminal shows as an SVG: a window with monospaced text, of no font but the reader's own.
//
//   tmux capture-pane -e -p | node docs/picture.mjs "imgspec build image.yaml" > docs/build.svg
//
// Reads the capture on stdin: text and SGR colour sequences. The argument is the window's title. docs/build.svg shows
// examples/multi-region, built with --emulate --concurrency 2 in a terminal of 110 columns.
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const fontPx = 14;
const cell = { width: 8.4, height: 19 };
const padding = 16;
const barHeight = 34;

const palette = {
  31: "#ff7b72",
  32: "#7ee787",
  33: "#e3b341",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
  90: "#8b949e",
};
const plain = "#e6edf3";
const dim = "#8b949e";

/** The picture of a capture. */
export function toSvg(capture, title) {
  const lines = trimmed(capture.split("\n"));
  const columns = Math.max(...lines.map((line) => [...stripVTControlCharacters(line)].length));
  const width = Math.ceil(columns * cell.width + 2 * padding);
  const height = Math.ceil(barHeight + lines.length * cell.height + padding);
  let style = { color: plain, bold: false };
  const body = lines.flatMap((line, row) => {
    const { shapes, after } = toShapes(line, row, style);
    style = after;
    return shapes;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>text{font:${fontPx}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<path d="M0 ${barHeight - 6}V8a8 8 0 0 1 8-8h${width - 16}a8 8 0 0 1 8 8v${barHeight - 14}z" fill="#21262d"/>
${["#ff5f57", "#febc2e", "#28c840"].map((fill, index) => `<circle cx="${18 + index * 20}" cy="14" r="6" fill="${fill}"/>`).join("")}
<text x="${width / 2}" y="19" text-anchor="middle" fill="${dim}">${escaped(title)}</text>
${body.join("\n")}
</svg>
`;
}

function trimmed(lines) {
  const bare = lines.map((line) => stripVTControlCharacters(line).trim());
  return lines.slice(0, bare.findLastIndex((line) => line !== "") + 1);
}

/** The shapes of one line, and the style that the next one begins with. */
function toShapes(line, row, before) {
  const shapes = [];
  let style = before;
  let column = 0;
  // An odd piece is the parameters of a colour sequence.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for
  for (const [index, piece] of line.split(/\x1b\[([\d;]*)m/).entries()) {
    if (index % 2 === 1) {
      style = restyled(style, piece);
      continue;
    }
    for (const run of toRuns(piece)) {
      shapes.push(...toShape(run, { x: padding + column * cell.width, row, style }));
      column += [...run].length;
    }
  }
  return { shapes, after: style };
}

function restyled(style, parameters) {
  let { color, bold } = style;
  for (const code of parameters.split(";").map(Number)) {
    if (code === 0 || code === 22) bold = false;
    if (code === 1) bold = true;
    if (code === 2) color = dim;
    else if (code === 0 || code === 22 || code === 39) color = plain;
    else color = palette[code] ?? color;
  }
  return { color, bold };
}

/** Cut at wide gaps and at symbols: those come from other fonts, of other widths, and must not shift what follows. */
function toRuns(piece) {
  return piece.match(/ {2,}|█+|░+|[^\x20-\x7e]|[\x21-\x7e](?: ?[\x21-\x7e])*| /g) ?? [];
}

function toShape(run, { x, row, style }) {
  const count = [...run].length;
  const width = round(count * cell.width);
  const top = barHeight + row * cell.height;
  if (run.trim() === "") return [];
  if (/^[█░]/.test(run)) {
    const fill = run.startsWith("█") ? "#58a6ff" : "#30363d";
    return [`<rect x="${round(x)}" y="${top + 4}" width="${width}" height="11" fill="${fill}"/>`];
  }
  const weight = style.bold ? ' font-weight="bold"' : "";
  const length = count > 1 ? ` textLength="${width}" lengthAdjust="spacingAndGlyphs"` : "";
  return [
    `<text x="${round(x)}" y="${top + 14}" fill="${style.color}"${weight}${length}>${escaped(run)}</text>`,
  ];
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function escaped(value) {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(toSvg(await text(process.stdin), process.argv[2] ?? ""));
}
