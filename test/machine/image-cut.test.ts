import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { endHeld } from "../../src/machine/held-end.ts";
import { holdMachine } from "../../src/machine/held-machine.ts";
import { openRootImage } from "../../src/machine/root-image.ts";
import { connect } from "../../src/machine/ssh.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { processesLike } from "../help/processes.ts";
import { canHaveSudoers, password, startSudoerSshd } from "../help/sudoer.ts";

const signal = AbortSignal.timeout(60_000);
const napping = new RegExp(`sleep 477[.]${process.pid}$`);

describe.skipIf(!canHaveSudoers)(
  "an image over a connection that is cut (skipped unless root, with sudo)",
  () => {
    test.each([
      ["sudo without a password", ["builder ALL=(ALL) NOPASSWD: ALL"], null],
      ["a sudo that wants a password", ["builder ALL=(ALL) ALL"], password],
      [
        "a sudo that wants a terminal, too",
        ["builder ALL=(ALL) ALL", "Defaults requiretty", "Defaults use_pty"],
        password,
      ],
    ])("goes on being made until its mark is ended, also by %s", async (_, sudoers, sudoPassword) => {
      await using sshd = await startSudoerSshd(sudoers);
      await using proxy = await startCuttingProxy(sshd.address.port);
      await using held = holdMachine(() =>
        connect({ ...sshd.address, port: proxy.port }, { signal, timeoutMs: 20_000, sudoPassword }),
      );
      const root = await mkdtemp(join(tmpdir(), "imgspec-tree-"));
      try {
        const mark = `imgspec-image-${process.pid}`;
        const log = (line: string): void => {
          if (line === "napping") proxy.cut();
        };
        const hook = `#!/bin/sh\necho napping\nsleep 477.${process.pid}\n`;
        const opening = openRootImage(await held.machine(), {
          ...copy,
          root,
          hook,
          sudo: true,
          signal,
          log,
          mark,
        });
        await expect(opening).rejects.toMatchObject({ code: "connect-failed" });
        // OpenSSH tells nothing of the loss to those who neither read nor write.
        expect(await processesLike(napping)).toHaveLength(1);
        await endHeld(held, mark);
        expect(await processesLike(napping)).toEqual([]);
        expect(await processesLike(new RegExp(`--root ${root} `))).toEqual([]);
      } finally {
        await rm(root, { recursive: true });
      }
    });
  },
);

const copy = {
  partition: "none" as const,
  sizeMib: 8,
  exclude: [],
  include: [],
  fstab: "keep" as const,
  hygiene: {},
  allow: [],
  forgetKey: "ssh-ed25519 AAAABUILD imgspec",
};
