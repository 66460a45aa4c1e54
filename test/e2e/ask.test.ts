import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { newTool } from "../help/tool.ts";
import { canType, typing } from "../help/typist.ts";

const spec = `imgspec: 1
name: web
variables:
  types: { type: list, description: A ladder }
  token: { sensitive: true }
source: { image: ami-0123456789abcdef0 }
launch: { instanceTypes: "\${{ vars.types }}" }
connect: { user: ec2-user, sudoPassword: "\${{ vars.token }}" }
upload: { bucket: acme-images }
regions: { us-east-1: {} }
`;

test.skipIf(!canType)(
  "variables without a value are asked for at a terminal (where python3 is)",
  async () => {
    await using tool = await newTool();
    await writeFile(tool.path("image.yaml"), spec);
    const line = ["render", "image.yaml", "--output", "json"];
    const typed = await tool.run(line, typing(["types (A ladder): ", "[m3.large]\r"], ["token: ", "hush\r"]));
    expect(typed.stdout).toContain('"m3.large"');
    expect(typed.stdout).not.toContain("hush");
    expect(typed.code).toBe(0);
    const stopped = await tool.run(line, typing(["types (A ladder): ", "\x03"]));
    expect(stopped.code).toBe(130);
  },
);

test("without a terminal they are a mistake, and a file gives them", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("image.yaml"), spec);
  await writeFile(tool.path("values.yaml"), "types: [m1.small]\ntoken: hush\n");
  const missing = await tool.run(["render", "image.yaml"]);
  expect(missing.code).toBe(3);
  expect(missing.stderr).toContain('variable-missing the variable "types" is not set');
  const given = await tool.run(["render", "image.yaml", "--var-file", "values.yaml"]);
  expect(given.stdout).toContain("- m1.small");
  expect(given.stdout).not.toContain("hush");
  const gone = await tool.run(["render", "image.yaml", "--var-file", "gone.yaml"]);
  expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining('"gone.yaml" does not exist')]);
});
