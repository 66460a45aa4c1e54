import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { downloadFiles, type UploadFilesInput, uploadFiles } from "../../src/stage/transfer.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`files (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;
  let from: string;
  const at = (...names: string[]): string => join(from, ...names);

  beforeAll(async () => {
    builder = await newBuilder();
    from = join(builder.rig.run.directory, "files");
    await mkdir(at("deep"), { recursive: true });
    await writeFile(at("it's a file"), "one\n", { mode: 0o640 });
    await writeFile(at("deep", "run.sh"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
    await symlink("run.sh", at("deep", "link"));
    await chmod(at("it's a file"), 0o640);
  });
  afterAll(() => builder[Symbol.asyncDispose]());

  describe.each([false, true])("with sudo: %s", (sudo) => {
    const base = `/srv/stage-${sudo}`;
    const send = (change: Partial<UploadFilesInput>): Promise<unknown> =>
      builder.rig.stage(uploadFiles, { ...toInput(), sudo, ...change });

    test("a file gets the name, into a directory it keeps its own, and its mode is the local one's", async () => {
      await send({ from: at("it's a file"), to: `${base}/a/renamed` });
      await send({ from: at("it's a file"), to: `${base}/b/` });
      await send({ from: at("it's a file"), to: `${base}/b` });
      await send({ from: at("it's a file"), to: `${base}/c`, mode: "0751" });
      expect(await modes(base)).toEqual(["640 ./a/renamed", "640 ./b/it's a file", "751 ./c"]);
    });

    test("a directory's contents go into a directory, with or without a slash, links and modes kept", async () => {
      await send({ to: `${base}/tree` });
      await send({ to: `${base}/slash/` });
      // Again, onto what is there, of which something differs and something is not sent.
      await builder.sh(
        `sudo sh -c 'rm ${base}/tree/deep/link; ln -s /nowhere ${base}/tree/deep/link; echo > ${base}/tree/own'`,
      );
      await send({ to: `${base}/tree` });
      expect(await modes(`${base}/tree`)).toEqual(["640 ./it's a file", "644 ./own", "755 ./deep/run.sh"]);
      expect(await builder.sh(`readlink ${base}/tree/deep/link ${base}/slash/deep/link`)).toBe(
        "run.sh\nrun.sh\n",
      );
      expect(await builder.sh(`${base}/slash/deep/link`)).toBe("ran\n");
    });

    test("a path that begins with ~/ is in the user's home", async () => {
      await send({ from: at("it's a file"), to: `~/home-${sudo}/x` });
      expect(await builder.sh(`cat /home/ec2-user/home-${sudo}/x`)).toBe("one\n");
    });

    test("nothing is left beside it", async () => {
      await send({ to: `${base}/left` });
      await expect(send({ from: at("it's a file"), to: `${base}/left/it's a file/x` })).rejects.toMatchObject(
        {
          code: "command-failed",
        },
      );
      expect(await builder.sh(`ls -A /tmp; find ${base} -name '.imgspec*'`)).toBe("");
    });
  });

  test("a file comes back as it was, and a failed step may be tried again", async () => {
    const input = {
      ...toInput(),
      from: "/srv/back",
      to: join(builder.rig.run.directory, "back"),
      retries: 1,
    };
    const fetching = builder.rig.stage(downloadFiles, input);
    fetching.catch(() => undefined);
    await expect.poll(() => builder.rig.lines.some((line) => line.includes("(1 of 1 retries)"))).toBe(true);
    await builder.sh("sudo sh -c 'echo late > /srv/back'");
    await fetching;
    expect(await readFile(input.to, "utf8")).toBe("late\n");
  });

  test("what does not arrive in time is told with the step's place, and is ended", async () => {
    await builder.sh("sudo mkfifo /srv/never; sudo chmod 666 /srv/never");
    const to = join(builder.rig.run.directory, "never");
    const input = { ...toInput(), from: "/srv/never", to, timeoutSeconds: 1 };
    await expect(builder.rig.stage(downloadFiles, input)).rejects.toThrow(
      /provision\[1\]|not a (regular )?file|neither/,
    );
  });

  function toInput(): UploadFilesInput {
    return {
      on: builder.on,
      from,
      contents: "",
      to: "/srv/x",
      mode: null,
      sudo: false,
      timeoutSeconds: 60,
      retries: 0,
      label: "provision[1]",
    };
  }

  /** Mode and path of every file below, links left out. */
  async function modes(directory: string): Promise<string[]> {
    const script = `cd ${directory} && find . -type f -exec stat -c '%a %n' {} +`;
    return (await builder.sh(`sudo sh -c "${script}"`)).trimEnd().split("\n").sort();
  }
});
