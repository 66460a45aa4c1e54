import { stripVTControlCharacters } from "node:util";

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `512 B`, `1.5 MiB`, `23 MiB`. */
export function toSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.5 ? value.toFixed(0) : value.toFixed(1);
  return `${text} ${units[unit]}`;
}

/** `0.4s`, `12s`, `3m 05s`, `1h 02m`. */
export function toDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
}

/** Local wall clock, `21:04:59`. */
export function toClock(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

/**
 * One line of a script as it is safe to show: without colours, cursor movements and bells, tabs as blanks, and of a
 * line that was written over itself (a progress bar) the last state.
 */
export function toSafeLine(line: string): string {
  const plain = stripVTControlCharacters(line).replace(/\r+$/, "");
  const last = plain.slice(plain.lastIndexOf("\r") + 1);
  return last.replaceAll("\t", "  ").replace(/\p{Cc}/gu, "");
}

/** The text in at most so many columns; an ellipsis stands for what is cut off. */
export function toFit(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return columns < 2 ? "" : `${characters.slice(0, columns - 1).join("")}…`;
}

/** `█████░░░░░`, so many columns wide. */
export function toBar(fraction: number, columns: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * columns);
  return "█".repeat(full) + "░".repeat(columns - full);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** A text of several lines as one. */
export function toOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}
