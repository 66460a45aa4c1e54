import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";

test("a rebooted instance is checked, and one that is not as it should be gives no image", async () => {
  await using cli = await newCli("quickstart");
  const path = join(cli.folder, "image.yaml");
  const spec = await readFile(path, "utf8");
  const steps = `provision:
  - shell: { inline: "echo kept >/etc/kept; echo gone >/tmp/gone", sudo: true }
  - reboot: {}
  - check:
      that:
        - file: { path: /etc/kept, contains: [kept] }
        - file: { path: /tmp/gone }
          not: true
        - user: { name: ec2-user, home: /home/ec2-user }
  - check:
      that:
        - command: { run: cat /etc/kept, matches: ^lost$ }
        - package: { name: nginx }
        - process: { name: sh }
  - packages: { install: [nginx] }
`;
  await writeFile(path, spec.replace(/^provision:\n(?:[ #].*\n|\n)*/m, `${steps}\n`));
  await using emulator = await newEmulated(path);
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(stdout).toContain("all 3 assertions hold");
  expect(stdout).toMatch(/was told to reboot.*\n(?:.*\n)*.* is back after \d+ s/);
  expect(code).toBe(5);
  const { failures } = await cli.result();
  expect(failures).toMatchObject([
    {
      code: "check-failed",
      message:
        '2 of 3 assertions of provision[3] do not hold: that[0] command "cat /etc/kept": its one line does not match ^lost$; that[1] package nginx: it is not installed',
    },
  ]);
  const nothing = { instances: [], keyPairs: [], securityGroups: [], images: [], snapshots: [], objects: [] };
  expect(emulator.left()).toEqual(nothing);
});
