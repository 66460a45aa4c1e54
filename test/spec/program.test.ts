import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { localPaths } from "../../src/plan/add-step.ts";
import { comparePlans } from "../../src/plan/compare.ts";
import { toPlan } from "../../src/plan/planner.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import type { Spec } from "../../src/spec/spec.ts";
import { build, least } from "./reading.ts";

const step = `provision:
  - program:
      command: [python3, ./app.py, "../lib/common.py", plain/word]
      options: { version: 1, region: "\${{ region.name }}", modules: [web] }
      secrets: { token: "\${{ vars.token }}" }
`;

let directory: string;
let spec: Spec;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-program-spec-"));
  const files = {
    "image.yaml": `${least}extends: base/apps/app.yaml\nregions: { us-east-1: {} }\n`,
    "base/apps/app.yaml": `variables: { token: { sensitive: true } }\n${step}`,
    "base/apps/app.py": "",
    "base/lib/common.py": "",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const options = { variables: { token: "s3cret value" }, environment: {}, build };
  spec = (await readSpec(join(directory, "image.yaml"), options)).spec;
});
afterAll(() => rm(directory, { recursive: true }));

test("words that are paths are found from the file that names them, its secrets are only names", () => {
  const files = [join(directory, "base/apps/app.py"), join(directory, "base/lib/common.py")];
  const [program] = spec.images[0]?.provision ?? [];
  const name = "us-east-1/provision[0].program.secrets.token";
  expect(program).toEqual({
    kind: "program",
    title: "python3 ./base/apps/app.py ./base/lib/common.py plain/word",
    label: "provision[0]",
    timeoutSeconds: 3600,
    retries: 0,
    command: ["python3", ...files, "plain/word"],
    files,
    options: { version: 1, region: "us-east-1", modules: ["web"] },
    secrets: { token: { $secret: name } },
    directory,
  });
  expect(spec.secrets.get(name)).toBe("s3cret value");
});

test("a changed program is a changed task, and the plan does not hold its secrets", () => {
  const planOf = (digest: string): ReturnType<typeof toPlan> =>
    toPlan(spec, { digests: new Map(localPaths(spec).map((path) => [path, digest])), tryCommand: null });
  const [change] = comparePlans(
    { plan: planOf("one"), run: build.id },
    { plan: planOf("two"), run: build.id },
  );
  expect(change).toMatchObject({
    kind: "changed",
    task: { id: "us-east-1/provision.1", stage: "provision.program" },
    differences: [{ path: "contents[0]" }, { path: "contents[1]" }],
  });
  expect(JSON.stringify(planOf("one"))).not.toContain("s3cret value");
});
