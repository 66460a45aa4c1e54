import { toOneLine } from "../util/one-line.ts";
import { groupOf } from "../util/task-id.ts";
import type { Plan, Task } from "./plan.ts";

export { toDot, toMermaid } from "./outline-graph.ts";
export { fromJsonText, toJsonText } from "./outline-json.ts";

/** Enough of a digest to see that a task has changed. */
const digestLength = 12;

/** A plan for people: the regions, under each its tasks in an order in which they can run. */
export function toText(plan: Plan): string {
  const groups = [...new Set(plan.tasks.map(({ group }) => group))];
  const blocks = groups.map((group) => {
    const tasks = plan.tasks.filter((task) => task.group === group);
    const wordWidth = Math.max(...tasks.map((task) => wordOf(task).length));
    const titleWidth = Math.max(...tasks.map(({ title }) => toOneLine(title).length));
    const lines = tasks.map((task) => {
      const word = wordOf(task).padEnd(wordWidth);
      const title = toOneLine(task.title).padEnd(titleWidth);
      return `  ${word}  ${title}  ${task.digest.slice(0, digestLength)}${toNeeds(task)}\n`;
    });
    return `\n${group}\n${lines.join("")}`;
  });
  return `${toOneLine(plan.name)}: ${toCount(plan.tasks.length, "task")}, ${toCount(groups.length, "image")}\n${blocks.join("")}`;
}

/** The last part of a task's id: `launch` of `us-east-1/launch`. */
function wordOf({ id, group }: Task): string {
  return id.startsWith(`${group}/`) ? id.slice(group.length + 1) : id;
}

function toNeeds({ needs, group }: Task): string {
  const words = needs.map((need) => (groupOf(need) === group ? need.slice(group.length + 1) : need));
  return words.length === 0 ? "" : `  after ${words.join(", ")}`;
}

function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
