import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath } from "node:url";

/** A stack trace with the places in `src/` instead of those in the bundled files, whose lines say nothing to anybody. */
export function toTrace(stack: string): string {
  return stack.replace(
    /((?:file:\/\/)?\/[^\s()]+\.c?js):(\d+):(\d+)/g,
    (place, file: string, line, column) => {
      const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (!entry || !("originalSource" in entry)) return place;
      const source = entry.originalSource.replace(/^(\.\.\/)+/, "");
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}

function mapOf(file: string): SourceMap | undefined {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  try {
    return new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
