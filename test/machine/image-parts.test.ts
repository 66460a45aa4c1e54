import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sh, shells } from "../help/volume-copy.ts";

const part = (name: string): string =>
  readFileSync(new URL(`../../templates/instance/image/${name}.sh`, import.meta.url), "utf8");

test.each(shells)(
  "a kernel without user namespaces is no container, another map of users is one (%s)",
  (shell) => {
    const text = part("root-device").replaceAll(/-e \/(run|\.)\S+/g, "-e /nowhere");
    const asked = (map: string): string =>
      run(
        shell,
        `${text.replaceAll("/proc/self/uid_map", map)}\npoint=/ root=/; contained && echo yes || echo no`,
      );
    expect(asked("/nowhere")).toBe("no\n");
    expect(asked("/etc/passwd")).toBe("yes\n");
  },
);

function run(shell: string, script: string): string {
  return sh(`${shell} -c "$1"`, script);
}
