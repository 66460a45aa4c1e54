// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import fc from "fast-check";
import { expect, test } from "vitest";
import { imageOf } from "./reading.ts";

const lines = `variables: { any: {} }
provision:
  - shell:
      inline: |
        echo \${{ vars.any }}
        exit 0
      env: { ANY: "\${{ vars.any }}" }
register: { description: "" }`;

const hostile = fc.array(
  fc.constantFrom(
    "${{ name }}",
    "\n",
    "- x",
    ": ",
    "'",
    '"',
    "}",
    "]",
    "&a",
    "*a",
    "!!",
    "#",
    "\t",
    "\0",
    "é",
    "😀",
    "a",
  ),
);

test("no value of a variable can change the shape of the document, or be evaluated again", async () => {
  const anything = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    hostile.map((words) => words.join("")),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (value) => {
      const { provision, ...rest } = await imageOf(lines, { variables: { any: value } });
      const [step, ...others] = provision;
      expect(others).toEqual([]);
      expect(step).toMatchObject({
        kind: "shell",
        script: { inline: `echo ${value}\nexit 0\n` },
        env: { ANY: value },
      });
      const { provision: _, ...plain } = await imageOf(lines, { variables: { any: "plain" } });
      expect(rest).toEqual(plain);
    }),
    { numRuns: 200 },
  );
});
