import { byHand } from "../aws/by-hand.ts";
import type { Launchers } from "../aws/launchers.ts";
import type { Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import { toLater } from "../util/later.ts";
import type { RegisteredImage } from "./register.ts";
import type { Stage, StageContext } from "./stage.ts";

export type PublishInput = {
  readonly registered: RegisteredImage;
  /** What must have gone well before others may see the image. */
  readonly after: object;
  readonly share: Launchers;
  /** Days from now (`180d`), or a date or time in UTC, ISO 8601; null: never. */
  readonly deprecate: string | null;
  readonly deregistrationProtection: "enabled-without-cooldown" | "enabled-with-cooldown" | null;
};

export type PublishedImage = {
  readonly imageId: string;
  readonly sharedWith: Launchers;
  /** ISO 8601. */
  readonly deprecatedAt: string | null;
  readonly deregistrationProtection: PublishInput["deregistrationProtection"];
};

/** One thing to be said of an image, and how a person says it. */
type Step = {
  readonly done: string;
  readonly act: (provider: Provider, signal: AbortSignal) => Promise<void>;
  readonly command: string;
};

/** Says of a proven image who may launch it and for how long; whatever of it fails, the image stays. */
export const publish: Stage<PublishInput, PublishedImage> = {
  kind: "publish.ec2",
  title: "Publish the image",
  exitCode: 7,
  summarize: ({ sharedWith, deprecatedAt }) =>
    [toWords(sharedWith), deprecatedAt === null ? "" : `deprecated at ${deprecatedAt}`]
      .filter((text) => text !== "")
      .join(", "),
  run: async (input, context) => {
    const { registered, share, deregistrationProtection } = input;
    // The rules of the spec have looked at it.
    const at = input.deprecate === null ? null : (toLater(input.deprecate, new Date()) ?? null);
    await carryOut(toSteps(input, at), input, context);
    return {
      imageId: registered.imageId,
      sharedWith: share,
      deprecatedAt: at === null ? null : toIso(at),
      deregistrationProtection,
    };
  },
};

function toSteps(
  { registered, share, deregistrationProtection }: PublishInput,
  at: Date | null,
): readonly Step[] {
  const { imageId: id } = registered;
  const words = toWords(share);
  const steps: Step[] = [];
  if (words !== "") {
    steps.push({
      done: `shared with ${words}`,
      act: (provider, signal) => provider.shareImage(id, share, signal),
      command: `ec2 modify-image-attribute --image-id ${id} ${toFlags(share)}`,
    });
  }
  if (at !== null) {
    steps.push({
      done: `deprecated at ${toIso(at)}`,
      act: (provider, signal) => provider.deprecateImage(id, at, signal),
      command: `ec2 enable-image-deprecation --image-id ${id} --deprecate-at ${toIso(at)}`,
    });
  }
  if (deregistrationProtection !== null) {
    const cooldown = deregistrationProtection === "enabled-with-cooldown";
    steps.push({
      done: `protected from being deregistered${cooldown ? ", and 24 hours longer" : ""}`,
      act: (provider, signal) => provider.protectImage(id, cooldown, signal),
      command: `ec2 enable-image-deregistration-protection --image-id ${id}${cooldown ? " --with-cooldown" : ""}`,
    });
  }
  return steps;
}

/** All of them, also when one fails, so that one message tells what is left to do. */
async function carryOut(steps: readonly Step[], input: PublishInput, context: StageContext): Promise<void> {
  const { account, imageId } = input.registered;
  const provider = context.cloud.account(account);
  const failures: { readonly problem: Problem; readonly command: string }[] = [];
  for (const { done, act, command } of steps) {
    try {
      await act(provider, context.signal);
      context.log(`${imageId} is ${done}`);
    } catch (error) {
      if (!(error instanceof Problem) || context.signal.aborted) throw error;
      failures.push({ problem: error, command: byHand(command, account) });
    }
  }
  const [first] = failures;
  if (!first) return;
  const told = failures.map(({ problem }) => problem.message).join("; ");
  const hints = failures.flatMap(({ problem: { hint }, command }) => [
    ...(hint ? [hint] : []),
    `\`${command}\``,
  ]);
  throw new Problem("publish-failed", `${imageId} is registered and proven, and stays; but ${told}`, {
    hint: `do by hand what is left: ${hints.join("; ")}`,
    cause: first.problem,
  });
}

/** To the second: EC2 rounds to the minute. */
function toIso(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

function toWords({ accounts, organizations, organizationalUnits, ...share }: Launchers): string {
  const all = [...accounts, ...organizations, ...organizationalUnits];
  return [...all, ...(share.public ? ["everybody"] : [])].join(", ");
}

function toFlags({ accounts, organizations, organizationalUnits, ...share }: Launchers): string {
  const added = [
    ...accounts.map((id) => `{UserId=${id}}`),
    ...organizations.map((arn) => `{OrganizationArn=${arn}}`),
    ...organizationalUnits.map((arn) => `{OrganizationalUnitArn=${arn}}`),
    ...(share.public ? ["{Group=all}"] : []),
  ];
  return `--launch-permission 'Add=[${added.join(",")}]'`;
}
