import { readFile, writeFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Result } from "../../src/report/result.ts";
import { haveAnsible } from "../help/ansible.ts";
import { newTool, type Tool } from "../help/tool.ts";
import { canType, typing } from "../help/typist.ts";

const spec = (steps: string, regions = "{ us-east-1: {} }"): string => `imgspec: 1
name: web
source: { find: { name: "amzn-ami-pv-*-x86_64-s3", owner: amazon, newest: true } }
launch: { instanceTypes: [m3.medium] }
connect: { user: ec2-user }
provision:
${steps}
bundle: { compression: 1 }
upload: { bucket: "images-\${{ region.name }}" }
regions: ${regions}
`;
const breakpoint = spec("  - breakpoint: { note: look around }", "{ us-east-1: {}, us-west-2: {} }");
const question = "a ends the build of this region: ";

test.skipIf(!canType)(
  "a breakpoint asks region by region at the terminal, and each goes its own way (where python3 is)",
  async () => {
    await using tool = await toolWith(breakpoint);
    const typed = await tool.run(
      ["build", "image.yaml", "--emulate"],
      typing([question, "what\r"], [question, "\r"], [question, "a\r"]),
    );
    const shown = stripVTControlCharacters(typed.stdout);
    const waiting = [
      ...shown.matchAll(/(\S+)\/provision\.1 waits at the breakpoint provision\[0\]: look around/g),
    ];
    const [first = "", second = ""] = waiting.map(([, region]) => region);
    expect([first, second].toSorted()).toEqual(["us-east-1", "us-west-2"]);
    const { images, failures, leftBehind } = await resultOf(tool);
    const outcomes = Object.fromEntries(images.map(({ region, outcome }) => [region, outcome]));
    expect(outcomes).toEqual({ [first]: "succeeded", [second]: "failed" });
    expect(failures).toMatchObject([{ code: "interrupted", task: `${second}/provision.1` }]);
    expect(leftBehind).toEqual([]);

    const stopped = await tool.run(["build", "image.yaml", "--emulate"], typing([question, "\x03"]));
    expect(stopped.code).toBe(130);
    expect(await resultOf(tool)).toMatchObject({ outcome: "interrupted", leftBehind: [] });
  },
);

test("without a terminal a breakpoint is refused before anything begins", async () => {
  await using tool = await toolWith(breakpoint);
  const refused = await tool.run(["build", "image.yaml", "--emulate"]);
  expect([refused.code, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toContain(
    "a breakpoint needs a terminal: us-east-1/provision.1, us-west-2/provision.1\n  hint: build with --skip-breakpoints",
  );
});

test.skipIf(!haveAnsible)(
  "a playbook works in a sandbox, past a breakpoint that is skipped (where ansible is)",
  async () => {
    const steps = `  - breakpoint: { note: look around }
  - ansible: { playbook: play.yml, host: box, extraVars: { region: "\${{ region.name }}" } }
  - check: { that: [ { file: { path: /etc/made, contains: ["in us-"] } } ] }`;
    await using tool = await toolWith(spec(steps));
    // A sandbox has no Python, and what is raw needs none.
    const play = `- hosts: box
  gather_facts: false
  tasks:
    - raw: echo "in {{ region }}" >/etc/made
`;
    await writeFile(tool.path("play.yml"), play);
    const { code, stdout } = await tool.run(["build", "image.yaml", "--emulate", "--skip-breakpoints"]);
    expect(stdout).toContain("the breakpoint provision[0] is skipped: look around");
    expect(stdout).toContain("| changed: [box]");
    expect(code).toBe(0);

    await writeFile(
      tool.path("image.yaml"),
      spec("  - ansible: { playbook: play.yml, command: ./no-ansible }"),
    );
    await writeFile(tool.path("no-ansible"), "#!/bin/sh\necho it is broken\nexit 3\n", { mode: 0o755 });
    const broken = await tool.run(["build", "image.yaml", "--emulate"]);
    expect(broken.stdout).toContain("which provision[0] runs on this machine, does not work: it is broken");
    expect(broken.stdout).not.toContain("us-east-1/launch  started");
    expect(broken.code).toBe(4);
  },
);

async function toolWith(text: string): Promise<Tool> {
  const tool = await newTool();
  await writeFile(tool.path("image.yaml"), text);
  return tool;
}

async function resultOf(tool: Tool): Promise<Result> {
  return JSON.parse(await readFile(tool.path("imgspec-result.json"), "utf8")) as Result;
}
