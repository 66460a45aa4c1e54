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

test.each(shells)("an image near what EC2 takes has less room to spare (%s)", (shell) => {
  const measured = (usedMib: number): string =>
    run(
      shell,
      `${part("room")}
      du() { echo "${usedMib * 1024} /"; }; find() { echo one; }; plan_table() { head_sectors=2048 tail_sectors=33; }
      no_room() { echo "no room"; exit; }; size_mib= type=ext4
      measure; echo "$((total_sectors / 2048)) $((fs_sectors % 8)) $((head_sectors + fs_sectors + tail_sectors <= total_sectors))"`,
    );
  expect([1000, 8600, 9800, 9900].map(measured)).toEqual([
    "1266 0 1\n",
    "10240 0 1\n",
    "10240 0 1\n",
    "no room\n",
  ]);
});

test.each(shells)("the image is a new file, whatever link has its name (%s)", (shell) => {
  const script = `${part("room")}
    directory=$(mktemp -d) && cd "$directory" && echo kept >victim && ln -s "$PWD/victim" ".imgspec-$$.image"
    find_scratch() { scratch=$directory; }; problem() { echo "problem $*"; }; unmountable=yes fs_kib=64
    open_image && echo written >&3; wc -c </proc/self/fd/3; cat victim; ls -A; rm -r "$directory"`;
  expect(run(shell, script).replaceAll(" ", "")).toBe("65536\nkept\nvictim\n");
});

function run(shell: string, script: string): string {
  return sh(`${shell} -c "$1"`, script);
}
