import { expect, test } from "vitest";
import { imageOf } from "./reading.ts";

const launch = { instanceTypes: ["m3.medium"], iamInstanceProfile: null, userData: null };

test("there is a gate when the spec says so, or names what it must show, and none otherwise", async () => {
  const gateOf = async (lines: string): Promise<boolean> => (await imageOf(lines)).verify !== null;
  expect(await gateOf("")).toBe(false);
  expect(await gateOf("verify: {}")).toBe(false);
  expect(await gateOf("verify:")).toBe(false);
  expect(await gateOf("verify: { boot: true }")).toBe(true);
  expect(await gateOf('verify: { console: "login:" }')).toBe(true);
  expect(await gateOf("verify: { tests: [{ shell: { inline: date } }] }")).toBe(true);
});

test("a test is a shell step with all its defaults, and is run on what the build was run on", async () => {
  const { verify } = await imageOf("verify: { tests: [{ shell: { inline: date } }] }");
  expect(verify).toEqual({
    console: null,
    tests: [
      {
        kind: "shell",
        title: "date",
        label: "verify.tests[0]",
        timeoutSeconds: 3600,
        retries: 0,
        script: { inline: "date" },
        env: {},
        sudo: false,
        workdir: null,
        exitCodes: [0],
      },
    ],
    timeoutSeconds: 600,
    launch,
  });
});

test("the launch of the gate is that of the build but for what it says itself", async () => {
  const lines = `verify: { boot: true, launch: { instanceTypes: [m3.large], userData: "x" } }`;
  expect((await imageOf(lines)).verify?.launch).toEqual({
    ...launch,
    instanceTypes: ["m3.large"],
    userData: "x",
  });
});
