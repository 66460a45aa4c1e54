import type { AmiToolsBundle } from "./ami-tools.ts";
import type { Bundle } from "./bundle.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { Stage } from "./stage.ts";

export type ReleaseInput = {
  readonly on: LaunchedInstance;
  /** What had to be done with the instance before it may go. */
  readonly after: Bundle | AmiToolsBundle | CommandOutput;
  /** The tasks whose resources are given back. */
  readonly of: readonly string[];
};

type CommandOutput = LaunchedInstance;

/** Gives the instance back as soon as nobody needs it, not only at the end of the run: it costs by the second. */
export const release: Stage<ReleaseInput, null> = {
  kind: "clean.ec2",
  title: "Give back instance, key and security group",
  exitCode: 7,
  run: async ({ of }, { scope }) => {
    await scope.releaseOf(of);
    return null;
  },
};
