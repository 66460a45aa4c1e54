import { runAmiTools } from "../machine/ami-tools.ts";
import { toPrograms } from "./ami-tools-commands.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { Stage } from "./stage.ts";
import { hold } from "./trust.ts";

export type PrepareAmiToolsInput = {
  readonly on: LaunchedInstance;
  readonly install: "auto" | "none";
  readonly installCommands: string | null;
  readonly bundleCommand: string;
  readonly uploadCommand: string;
  readonly partition: string | null;
};

/** Before an hour of provisioning: the AMI tools are there, or are installed, and start. */
export const prepareAmiTools: Stage<PrepareAmiToolsInput, LaunchedInstance> = {
  kind: "bundle.ami-tools.prepare",
  title: "Look for Amazon's AMI tools",
  exitCode: 4,
  run: async (input, context) => {
    const { tools, helpers } = toPrograms(input, input.partition);
    await using held = hold(input.on, context);
    await runAmiTools(
      held,
      {
        action: "prepare",
        name: "imgspec-prepare",
        values: {
          tools: tools.join(" "),
          helpers: helpers.join(" "),
          install: input.installCommands === null ? input.install : "commands",
          install_commands: input.installCommands ?? "",
        },
        signal: context.signal,
        log: (line) => context.log(line),
      },
      {
        code: "preflight-failed",
        what: "looking for the AMI tools",
        hint: "see docs/ami-tools.md, or leave bundle.method out: then nothing has to be installed",
      },
    );
    return input.on;
  },
};
