import { Problem } from "../../problem.ts";
import { findTool } from "../sandbox/tool.ts";

/** The programs that a virtual machine is made with. */
export type VmTools = {
  readonly qemu: string;
  readonly setpriv: string;
  readonly mke2fs: string;
  readonly debugfs: string;
};

/** What is needed, with the Debian package that has it. */
const needed: Readonly<Record<keyof VmTools, readonly [command: string, from: string]>> = {
  qemu: ["qemu-system-x86_64", "qemu-system-x86"],
  setpriv: ["setpriv", "util-linux"],
  mke2fs: ["mke2fs", "e2fsprogs"],
  debugfs: ["debugfs", "e2fsprogs"],
};

/** Finds the programs, or throws the Problem `vm-unavailable` that says what to install. */
export async function findVmTools(
  find: (name: string) => Promise<string | undefined> = findTool,
): Promise<VmTools> {
  if (process.platform !== "linux") {
    throw new Problem("vm-unavailable", `vm instances need Linux, and this is ${process.platform}`, {
      hint: "run imgspec on Linux, for example in a virtual machine or in a container",
    });
  }
  const missing: (readonly [string, string])[] = [];
  const path = async (tool: keyof VmTools): Promise<string> => {
    const [command, from] = needed[tool];
    const found = await find(command);
    if (found === undefined) missing.push([command, from]);
    return found ?? "";
  };
  const tools = {
    qemu: await path("qemu"),
    setpriv: await path("setpriv"),
    mke2fs: await path("mke2fs"),
    debugfs: await path("debugfs"),
  };
  if (missing.length > 0) {
    const what = missing.map(([command, from]) => `${command} (${from})`).join(", ");
    const packages = [...new Set(missing.map(([, from]) => from))].join(" ");
    throw new Problem("vm-unavailable", `vm instances need ${what}`, {
      hint: `install what is missing: apt-get install --no-install-recommends ${packages}`,
    });
  }
  return tools;
}
