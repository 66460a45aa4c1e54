// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toExcerpts } from "../../src/document/excerpt.ts";
import { Problem } from "../../src/problem.ts";
import { readVariableFile } from "../../src/spec/read-spec.ts";
import { imageOf, least, refusalOf, specOf } from "./reading.ts";

const text = `${least}variables:
  token: { sensitive: true }
provision:
  - shell:
      inline: login
      env:
        TOKEN: \${{ vars.token }}
        HEADER: "Bearer \${{ vars.token }}"
        PLAIN: \${{ name }}
  - local: { command: login, env: { T: "\${{ vars['token'] }}" } }
verify:
  tests:
    - shell: { inline: login, env: { TOKEN: "\${{ vars.token }}" } }
regions: { us-east-1: {}, us-west-2: {} }
`;

test("a sensitive value is in no image, only in the secrets that the images refer to", async () => {
  const { images, secrets } = await specOf(text, { variables: { token: "hunter2" } });
  expect(JSON.stringify(images)).not.toContain("hunter2");
  expect(images[1]?.provision.map((step) => ("env" in step ? step.env : {}))).toEqual([
    {
      TOKEN: { $secret: "us-west-2/provision[0].shell.env.TOKEN" },
      HEADER: { $secret: "us-west-2/provision[0].shell.env.HEADER" },
      PLAIN: "web",
    },
    { T: { $secret: "us-west-2/provision[1].local.env.T" } },
  ]);
  expect(images[1]?.verify?.tests.map(({ env }) => env)).toEqual([
    { TOKEN: { $secret: "us-west-2/verify.tests[0].shell.env.TOKEN" } },
  ]);
  expect(secrets.get("us-west-2/verify.tests[0].shell.env.TOKEN")).toBe("hunter2");
  expect(secrets.get("us-west-2/provision[0].shell.env.HEADER")).toBe("Bearer hunter2");
  expect(secrets.get("us-west-2/provision[1].local.env.T")).toBe("hunter2");
});

test("the value itself is among the secrets, so that it can be masked wherever it comes up", async () => {
  const { secrets } = await specOf(text, { variables: { token: "hunter2" } });
  expect(secrets.get("vars.token")).toBe("hunter2");
  const empty = await specOf(text, { variables: { token: "" } });
  expect([...empty.secrets.keys()].filter((name) => name.startsWith("vars."))).toEqual([]);
});

test("no way round leads a sensitive value into a message or into another place", async () => {
  for (const expression of ["vars.token", "vars['token']", "[vars].map(v, v.token)[0]", "int(vars.token)"]) {
    const lines = `register: { description: "a \${{ ${expression.replaceAll('"', "'")} }}" }\n`;
    const reading = specOf(text.replace("regions:", `${lines}regions:`), { variables: { token: "hunter2" } });
    const error: unknown = await reading.catch((reason: unknown) => reason);
    if (!(error instanceof Problem)) throw new Error(`${expression} was taken`);
    expect(error.code).toBe("spec-invalid");
    expect(JSON.stringify(error.diagnostics)).not.toContain("hunter2");
  }
});

test("of a sensitive map each text is a secret by its own name, and the whole is no text", async () => {
  const lines = `variables:
  db: { sensitive: true, default: { "a.b": one, a: { b: two }, port: 22, ssl: true, list: [three] } }
provision:
  - shell: { inline: "true", env: { P: "\${{ vars.db.a.b }}", ALL: "\${{ vars.db }}" } }`;
  expect(await refusalOf(imageOf(lines))).toEqual([
    "expression-wrong-type this is a map, and a text is needed",
  ]);
  const { secrets } = await specOf(
    `${least}${lines.replace(', ALL: "${{ vars.db }}"', "")}\nregions: { us-east-1: {} }\n`,
  );
  expect([...secrets.values()].sort()).toEqual(["one", "three", "two", "two"]);
});

test("of a file of variables nothing is shown", async () => {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-secrets-"));
  try {
    const path = join(directory, "values.yaml");
    await writeFile(path, "token: HUNTER2\ncreeds: HUNTER3\n");
    const file = await readVariableFile(path);
    const lines = "variables: { token: { sensitive: true, pattern: '^x$' } }";
    const error = await imageOf(lines, { variableFiles: [file] }).catch((reason: unknown) => reason);
    if (!(error instanceof Problem)) throw error;
    expect(error.diagnostics).toHaveLength(2);
    expect(toExcerpts(error.diagnostics, () => "token: HUNTER2\ncreeds: HUNTER3\n")).not.toContain("HUNTER");
  } finally {
    await rm(directory, { recursive: true });
  }
});
