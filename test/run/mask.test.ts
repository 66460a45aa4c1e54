import fc from "fast-check";
import { expect, test } from "vitest";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import { Mask } from "../../src/run/mask.ts";
import { runPlan, toStage, toStages, toThing } from "./rig.ts";

/** Values that people use; a shorter one could stand in an id by chance. */
const secrets = fc
  .oneof(
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 8, maxLength: 40, unit: "grapheme" }),
  )
  .filter((value) => value.trim().length >= 8 && !value.includes("***"));

const forms: Readonly<Record<string, (value: string) => string>> = {
  "as it is": (value) => value,
  "in base64": (value) => Buffer.from(value).toString("base64"),
  "in base64, with the line feed that echo adds": (value) => Buffer.from(`${value}\n`).toString("base64"),
  "in URL-safe base64": (value) => Buffer.from(value).toString("base64url"),
  "URL-encoded": (value) => encodeURIComponent(value),
  "as a form field": (value) => encodeURIComponent(value).replaceAll("%20", "+"),
  "as set -x quotes it": (value) => value.replaceAll("'", `'\\''`),
  "between double quotes": (value) => value.replace(/[\\"$`]/g, "\\$&"),
  "in JSON": (value) => JSON.stringify(value).slice(1, -1),
  "in JSON of ASCII, as Python has it": (value) =>
    JSON.stringify(value)
      .slice(1, -1)
      .replace(/[^ -~]/g, (unit) => `\\u${`000${unit.charCodeAt(0).toString(16)}`.slice(-4)}`),
};

test.each(Object.keys(forms))("a secret %s is never seen in text", (name) => {
  fc.assert(
    fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
      const form = forms[name]?.(secret) ?? secret;
      const masked = new Mask([secret]).text(`${before}${form}${after}`);
      expect(masked.includes(form)).toBe(false);
    }),
  );
});

test("a secret in the middle of something in base64 is masked wherever it begins", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 12, maxLength: 40, unit: "grapheme-ascii" }),
      fc.string(),
      (secret, around) => {
        fc.pre(secret.trim() === secret && !secret.includes("*"));
        const text = Buffer.from(`${around}${secret}${around}`).toString("base64");
        const masked = new Mask([secret]).text(text);
        expect(Buffer.from(masked.replaceAll("***", ""), "base64").includes(secret)).toBe(false);
        expect(masked).toContain("***");
      },
    ),
  );
});

test("secrets that overlap or touch leave nothing of either", () => {
  expect(new Mask(["abcdef", "defghi"]).text("xx abcdefghi abcdef defghi")).toBe("xx *** *** ***");
  expect(new Mask(["abcdef", "ghi"]).text("abcdefghi")).toBe("***");
});

test("every line of a key is masked, for it is told line by line", () => {
  const mask = new Mask(["-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"]);
  expect(mask.text("+ echo kqhkiG9w0BAQEF")).toBe("+ echo ***");
});

test("blanks and stars are no secrets", () => {
  expect(new Mask(["", " ", "\n", "***"]).text("a b *** c")).toBe("a b *** c");
});

test("no event and no result of a run holds a secret", async () => {
  await fc.assert(
    fc.asyncProperty(secrets, fc.constantFrom(...Object.values(forms)), async (known, toForm) => {
      const talk = toStage("talk", async (_input: object, { log, secret, scope }): Promise<never> => {
        const value = `the token is ${toForm(secret({ $secret: "token" }))}`;
        log(value);
        await scope.acquire(toThing(new Set()), value);
        throw new Problem("command-failed", value, { hint: value, cause: new Error(value) });
      });
      const plan = new PlanBuilder("talking");
      plan.add("r", "talk", talk, {});
      const options = { secrets: new Map([["token", known]]), onFailure: "keep" } as const;
      const { events, result } = await runPlan(plan.toPlan(), toStages(talk), options);
      const strings = [...stringsIn(events), ...stringsIn(result)];
      expect(strings.filter((text) => text.includes(toForm(known)))).toEqual([]);
      expect(events.some((event) => event.type === "task.failed" && event.message.includes("***"))).toBe(
        true,
      );
    }),
    { numRuns: 30 },
  );
});

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

test("in JSON every text is masked, however deep, and all else stays", () => {
  const mask = new Mask(["hunter2"]);
  const value = { list: ["is hunter2", 7, null], inner: { text: "hunter2", yes: true }, hunter2: "key" };
  expect(mask.json(value)).toEqual({
    list: ["is ***", 7, null],
    inner: { text: "***", yes: true },
    hunter2: "key",
  });
});
