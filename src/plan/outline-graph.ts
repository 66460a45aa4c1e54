import { toOneLine } from "../util/one-line.ts";
import { groupOf } from "../util/task-id.ts";
import type { Plan, Task } from "./plan.ts";

/** A plan as a Graphviz graph: a cluster for each region, an edge from a task to each that needs it. */
export function toDot(plan: Plan): string {
  const clusters = toGroups(plan).map(
    ([group, tasks], index) =>
      `  subgraph cluster_${index} {\n    label=${quoted(group)};\n${tasks
        .map((task) => `    ${quoted(task.id)} [label=${quoted(toLabel(task))}];\n`)
        .join("")}  }\n`,
  );
  const edges = toEdges(plan).map(([from, to]) => `  ${quoted(from)} -> ${quoted(to)};\n`);
  return `digraph ${quoted(plan.name)} {\n  rankdir=TB;\n  node [shape=box, style=rounded];\n${clusters.join("")}${edges.join("")}}\n`;
}

/** The same for Mermaid. */
export function toMermaid(plan: Plan): string {
  // Mermaid's ids are words, and some of them ("end") mean something else.
  const ids = new Map(plan.tasks.map(({ id }, index) => [id, `task${index}`]));
  const groups = toGroups(plan).map(
    ([group, tasks], index) =>
      `  subgraph group${index}["${toEntities(group)}"]\n${tasks
        .map((task) => `    ${ids.get(task.id)}["${toEntities(toLabel(task))}"]\n`)
        .join("")}  end\n`,
  );
  const edges = toEdges(plan).map(([from, to]) => `  ${ids.get(from)} --> ${ids.get(to)}\n`);
  return `flowchart TB\n${groups.join("")}${edges.join("")}`;
}

function toGroups(plan: Plan): readonly (readonly [string, readonly Task[]])[] {
  const names = [...new Set(plan.tasks.map(({ group }) => group))];
  return names.map((name) => [name, plan.tasks.filter(({ group }) => group === name)]);
}

function toEdges(plan: Plan): readonly (readonly [string, string])[] {
  return plan.tasks.flatMap(({ id, needs }) => needs.map((need) => [need, id] as const));
}

function toLabel({ id, title }: Task): string {
  return `${id.slice(groupOf(id).length + 1)}: ${toOneLine(title)}`;
}

/** A DOT string. In labels `\N`, `\G` and the like are escapes of Graphviz itself, so backslashes are doubled. */
function quoted(text: string): string {
  return `"${text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replace(/[\r\n]+/g, "\\n")}"`;
}

/** Everything that Mermaid could take for markup, as its entity codes. */
function toEntities(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:/_+=()-]/gu, (character) => `#${character.codePointAt(0)};`);
}
