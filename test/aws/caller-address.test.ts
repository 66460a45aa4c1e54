import { expect, test } from "vitest";
import { callerAddress } from "../../src/aws/caller-address.ts";
import { Problem } from "../../src/problem.ts";
import { type Answer, startScriptedAws } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;

test.each(["192.0.2.7", "2001:db8::7"])("%s is an address", async (address) => {
  await using aws = await startScriptedAws(() => ({ body: `${address}\n` }));
  expect(await callerAddress({ checkIpUrl: aws.url }, signal)).toBe(address);
});

test.each<{ what: string; answer: Answer; told: string }>([
  {
    what: "a sign-in page",
    answer: { body: "<html>Sign in</html>" },
    told: 'answered "<html>Sign in</html>" instead of an address',
  },
  {
    what: "an error",
    answer: { status: 503 },
    told: "did not tell this machine's public address (status 503)",
  },
  { what: "a cut line", answer: "cut", told: "did not tell this machine's public address (socket hang up)" },
])("$what is not an address, and the way around is told", async ({ answer, told }) => {
  await using aws = await startScriptedAws(() => answer);
  await expect(callerAddress({ checkIpUrl: aws.url }, signal)).rejects.toMatchObject({
    code: "network-failed",
    message: `${aws.url} ${told}`,
    hint: expect.stringContaining("launch.securityGroups"),
  });
});

test("a stop ends the question with the reason of the stop", async () => {
  const stop = new AbortController();
  const reason = new Problem("interrupted", "SIGINT");
  await using aws = await startScriptedAws(() => {
    stop.abort(reason);
    return "silence";
  });
  await expect(callerAddress({ checkIpUrl: aws.url }, stop.signal)).rejects.toBe(reason);
});
