import { Problem } from "../problem.ts";
import { type LaunchInput, launch } from "./launch.ts";
import type { CheckedImage } from "./preflight.ts";
import type { RegisteredImage } from "./register.ts";
import { shell } from "./shell.ts";
import type { Stage } from "./stage.ts";

export type TrialInput = Omit<LaunchInput, "checked"> & {
  readonly checked: CheckedImage;
  readonly registered: RegisteredImage;
  readonly command: string;
  readonly timeoutSeconds: number;
};

/** What an image showed when it was launched and told to run a command. */
export type TriedImage = {
  readonly imageId: string;
  readonly instanceId: string;
  /** The last lines that the command printed. */
  readonly output: readonly string[];
};

/** Enough for a greeting or a version; what a test suite prints is in the log. */
const outputLines = 20;

/** The proof: an instance of the new image, logged in to, runs the user's command. */
export const trial: Stage<TrialInput, TriedImage> = {
  kind: "try.launch",
  title: "Launch the new image and try it",
  exitCode: 7,
  summarize: ({ instanceId, output }) => `${instanceId} says: ${output.at(0) ?? "nothing, with exit code 0"}`,
  run: async ({ registered, command, ...input }, context) => {
    const source = { ...input.checked.source, id: registered.imageId, name: registered.name };
    const on = await launch.run({ ...input, checked: { ...input.checked, source } }, context);
    const printed: string[] = [];
    const log = (line: string): void => {
      printed.push(line);
      context.log(line);
    };
    try {
      await shell.run(
        {
          on,
          script: { inline: command },
          env: {},
          sudo: false,
          workdir: null,
          exitCodes: [0],
          timeoutSeconds: input.timeoutSeconds,
          retries: 0,
          label: "--try",
        },
        { ...context, log },
      );
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "command-failed") throw error;
      throw new Problem(
        "image-mismatch",
        `the new image ${registered.imageId} failed its trial: ${error.message}`,
        {
          hint: "the image stays registered; what the command printed is among the last lines",
          cause: error,
        },
      );
    }
    await context.scope.releaseOf([context.task]);
    return { imageId: registered.imageId, instanceId: on.instanceId, output: printed.slice(-outputLines) };
  },
};
