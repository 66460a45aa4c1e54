import { expect, test } from "vitest";
import { fromJsonText, toDot, toJsonText, toMermaid, toText } from "../../src/plan/outline.ts";
import { type Plan, PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import type { Stage } from "../../src/stage/stage.ts";
import type { Json } from "../../src/util/json.ts";

const stage: Stage<{ readonly on?: string }, string> = {
  kind: "any",
  title: "Do something",
  exitCode: 6,
  run: () => Promise.resolve(""),
};

test("the text shows the regions, and under each its tasks with what they wait for", () => {
  expect(toText(toTwoRegions()).replace(/\b[0-9a-f]{12}\b/g, "<digest>")).toMatchInlineSnapshot(`
    "web-base: 4 tasks, 2 images

    us-east-1
      launch    Launch an instance             <digest>
      register  Say "hi" & <b>x</b> \\N #1 \`a\`  <digest>  after launch

    cn-north-1
      launch  Launch an instance  <digest>
      copy    Do something        <digest>  after us-east-1/register
    "
  `);
});

test("a plan comes back from its JSON text as it was", () => {
  const plan = toTwoRegions();
  expect(fromJsonText(toJsonText(plan))).toEqual(plan);
});

test.each<[string, string]>([
  ["this is no JSON", "{"],
  ["this is no plan", "[]"],
  ["this is no plan", '{"version":1}'],
  ["this is a plan of version 2", '{"version":2,"name":"x","tasks":[]}'],
  ["this is a plan whose tasks[0] is no task", '{"version":1,"name":"x","tasks":[{}]}'],
  [
    "this is a plan in which a/b needs a/c, which does not come before it",
    toPlanText([{ id: "a/b", needs: ["a/c"] }]),
  ],
  ["this is a plan with two tasks a/b", toPlanText([{ id: "a/b" }, { id: "a/b" }])],
  ["this is a plan whose tasks[0] is no task", toPlanText([{ id: "a/b", input: { on: { $ref: "a/a" } } }])],
])("%s: %s", (message, text) => {
  expect(() => fromJsonText(text)).toThrow(expect.objectContaining({ code: "spec-invalid", message }));
  expect(() => fromJsonText(text)).toThrow(Problem);
});

test("DOT keeps quotes and backslashes of a title inside its strings", () => {
  expect(toDot(toTwoRegions())).toMatchInlineSnapshot(`
    "digraph "web-base" {
      rankdir=TB;
      node [shape=box, style=rounded];
      subgraph cluster_0 {
        label="us-east-1";
        "us-east-1/launch" [label="launch: Launch an instance"];
        "us-east-1/register" [label="register: Say \\"hi\\" & <b>x</b> \\\\N #1 \`a\`"];
      }
      subgraph cluster_1 {
        label="cn-north-1";
        "cn-north-1/launch" [label="launch: Launch an instance"];
        "cn-north-1/copy" [label="copy: Do something"];
      }
      "us-east-1/launch" -> "us-east-1/register";
      "us-east-1/register" -> "cn-north-1/copy";
    }
    "
  `);
});

test("Mermaid gets entity codes for all that it could take for markup", () => {
  expect(toMermaid(toTwoRegions())).toMatchInlineSnapshot(`
    "flowchart TB
      subgraph group0["us-east-1"]
        task0["launch: Launch an instance"]
        task1["register: Say #34;hi#34; #38; #60;b#62;x#60;/b#62; #92;N #35;1 #96;a#96;"]
      end
      subgraph group1["cn-north-1"]
        task2["launch: Launch an instance"]
        task3["copy: Do something"]
      end
      task0 --> task1
      task1 --> task3
    "
  `);
});

function toTwoRegions(): Plan {
  const plan = new PlanBuilder("web-base");
  const on = plan.add("us-east-1", "launch", stage, {}, "Launch an instance");
  const made = plan.add("us-east-1", "register", stage, { on }, 'Say "hi" & <b>x</b>\n\\N #1 `a`');
  plan.add("cn-north-1", "launch", stage, {}, "Launch an instance");
  plan.add("cn-north-1", "copy", stage, { on: made });
  return plan.toPlan();
}

function toPlanText(tasks: readonly { readonly [key: string]: Json }[]): string {
  const rest = { group: "a", title: "t", stage: "s", input: {}, needs: [], digest: "d" };
  return JSON.stringify({ version: 1, name: "x", tasks: tasks.map((task) => ({ ...rest, ...task })) });
}
