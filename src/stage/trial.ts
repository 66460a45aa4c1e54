import type { Stage } from "./stage.ts";
import { type TriedImage, type TryOutInput, tryOut, type Verdict } from "./try-out.ts";

export type TrialInput = Omit<TryOutInput, "console" | "tests"> & { readonly command: string };

const verdict: Verdict = {
  code: "image-mismatch",
  what: "failed its trial",
  hint: "the image stays registered; what the command printed is among the last lines",
};

/** The proof: an instance of the new image, logged in to, runs the user's command. */
export const trial: Stage<TrialInput, TriedImage> = {
  kind: "try.launch",
  title: "Launch the new image and try it",
  exitCode: 7,
  summarize: ({ instanceId, output }) => `${instanceId} says: ${output.at(0) ?? "nothing, with exit code 0"}`,
  run: async ({ command, ...input }, context) => {
    const test = {
      script: { inline: command },
      env: {},
      sudo: false,
      workdir: null,
      exitCodes: [0],
      timeoutSeconds: input.timeoutSeconds,
      retries: 0,
      label: "--try",
    };
    const tried = await tryOut({ ...input, console: null, tests: [test] }, verdict, context);
    await context.scope.releaseOf([context.task]);
    return tried;
  },
};
