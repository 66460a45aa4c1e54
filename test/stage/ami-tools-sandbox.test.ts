import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amiTools } from "../../src/stage/ami-tools.ts";
import { prepareAmiTools } from "../../src/stage/ami-tools-prepare.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";
import { certificate, toChecked, toImage } from "../help/stage-inputs.ts";

const why = await whyNot();
const commands = {
  bundleCommand: "ec2-bundle-vol {arguments}",
  uploadCommand: "ec2-upload-bundle {arguments}",
};

/** A tool that shows who calls it with which keys, and fails. */
const installCommands = `for name in ec2-bundle-vol ec2-upload-bundle; do
cat >/usr/local/bin/$name <<'END'
#!/bin/sh
if [ "$1" = --version ]; then echo 1.5.19; exit 0; fi
stat -c '%a %n' "$2" "$(dirname "$2")" >/var/tmp/keys
exit 3
END
chmod 755 /usr/local/bin/$name
done`;

describe.skipIf(why !== undefined)(`an instance whose user is not root (no sandbox: ${why})`, () => {
  let builder: Builder;
  beforeAll(async () => {
    builder = await newBuilder();
  });
  afterAll(() => builder[Symbol.asyncDispose]());

  test("gets the tools by sudo, and loses the keys when they fail", async () => {
    const { rig, on, sh } = builder;
    const input = { on, partition: null, ...commands };
    await expect(
      rig.stage(prepareAmiTools, { ...input, install: "none", installCommands: null }),
    ).rejects.toMatchObject({
      code: "preflight-failed",
      message: expect.stringMatching(/^the instance lacks ec2-bundle-vol ec2-upload-bundle/),
    });
    await rig.stage(prepareAmiTools, { ...input, install: "none", installCommands }).catch((error: Error) => {
      // A sandbox may lack rsync, which is then what is told; the tools themselves are there.
      expect(error.message).not.toContain("ec2-");
    });
    await expect(
      rig.stage(amiTools, {
        ...commands,
        on,
        checked: toChecked(toImage()),
        name: "image",
        sizeMib: null,
        exclude: [],
        partition: "none",
        inherit: false,
        destination: null,
        credentials: "instance-profile",
        bundleArguments: [],
        uploadArguments: [],
        bucket: "acme-images",
        prefix: "web/1",
        acl: "aws-exec-read",
        certificate,
        blockDeviceMappings: [],
      }),
    ).rejects.toMatchObject({
      code: "bundle-invalid",
      message: expect.stringMatching(/^ec2-bundle-vol ended with exit code 3/),
    });
    const [file = "", folder = ""] = (await sh("cat /var/tmp/keys")).trimEnd().split("\n");
    expect(file).toMatch(/^600 \/(dev\/shm|run)\/imgspec-ami-tools-\w+\/cert\.pem$/);
    expect(folder).toMatch(/^700 /);
    expect(
      await sh("ls -d /dev/shm/imgspec-* /run/imgspec-* /mnt/imgspec-* /tmp/imgspec-a* 2>/dev/null || :"),
    ).toBe("");
  });
});
