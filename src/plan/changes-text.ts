import type { Json } from "../util/json.ts";
import { toOneLine } from "../util/one-line.ts";
import type { Change, Difference } from "./compare.ts";

const marks = { added: "+", removed: "-", changed: "~", follows: ">" } as const;
const maxLength = 100;
/** How much that is the same stands before what differs. */
const lead = 20;

/** Changes for people: each task with what is different of it, or what it follows from. */
export function toChangesText(changes: readonly Change[], total: number, run: string): string {
  if (changes.length === 0) return `nothing differs from run ${run}\n`;
  const blocks = changes.map((change) => `${toHead(change)}\n${toDetails(change).join("")}`);
  const gone = changes.filter(({ kind }) => kind === "removed").length;
  return `${changes.length} of ${total + gone} tasks differ from run ${run}\n\n${blocks.join("")}`;
}

function toHead({ kind, task }: Change): string {
  return `${marks[kind]} ${task.id}  ${toOneLine(task.title)}`;
}

function toDetails(change: Change): readonly string[] {
  if (change.kind === "changed") return change.differences.map(toLine);
  return change.kind === "follows" ? [`    since ${change.after.join(", ")} differs\n`] : [];
}

function toLine({ path, before, after }: Difference): string {
  const [was, is] = [toText(before), toText(after)];
  const from = beginOf(was, is);
  return `    ${toOneLine(path)}: ${toShown(was, from)} -> ${toShown(is, from)}\n`;
}

/** Where to begin, so that what differs of long values is seen. */
function beginOf(was: string, is: string): number {
  let same = 0;
  while (same < was.length && was[same] === is[same]) same += 1;
  return Math.max(was.length, is.length) <= maxLength || same < maxLength / 2 ? 0 : same - lead;
}

function toText(value: Json | undefined): string {
  return value === undefined ? "(nothing)" : toOneLine(JSON.stringify(value));
}

function toShown(text: string, from: number): string {
  const rest = from === 0 ? text : `…${text.slice(from)}`;
  return rest.length <= maxLength ? rest : `${rest.slice(0, maxLength - 1)}…`;
}
