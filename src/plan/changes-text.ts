import type { Json } from "../util/json.ts";
import type { Change, Difference } from "./compare.ts";

const marks = { added: "+", removed: "-", changed: "~", follows: ">" } as const;
const maxLength = 100;

/** Changes for people: each task with what is different of it, or what it follows from. */
export function toChangesText(changes: readonly Change[], total: number, run: string): string {
  if (changes.length === 0) return `nothing differs from run ${run}\n`;
  const blocks = changes.map((change) => `${toHead(change)}\n${toDetails(change).join("")}`);
  const gone = changes.filter(({ kind }) => kind === "removed").length;
  return `${changes.length} of ${total + gone} tasks differ from run ${run}\n\n${blocks.join("")}`;
}

function toHead({ kind, task }: Change): string {
  return `${marks[kind]} ${task.id}  ${task.title.replace(/\s+/g, " ")}`;
}

function toDetails(change: Change): readonly string[] {
  if (change.kind === "changed") return change.differences.map(toLine);
  return change.kind === "follows" ? [`    since ${change.after.join(", ")} differs\n`] : [];
}

function toLine({ path, before, after }: Difference): string {
  return `    ${path}: ${toShown(before)} -> ${toShown(after)}\n`;
}

function toShown(value: Json | undefined): string {
  if (value === undefined) return "(nothing)";
  const text = JSON.stringify(value);
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}
