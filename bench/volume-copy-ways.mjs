import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { measure } from "./gauge.mjs";
import { bucket, sh } from "./volume-copy-rig.mjs";

const builderProgram = fileURLToPath(new URL("volume-copy-builder.mjs", import.meta.url));

/** The volume copy up to the finished image, synced, with the seconds of its phases. What follows is not awaited. */
export async function copyOurs({ at, load, trees, instance }, type) {
  const { toRootImageProgram } = await load("src/machine/root-image-program");
  const { toImageCommand } = await load("src/machine/root-image");
  const { request } = await import("./volume-copy-builder.mjs");
  const words = toImageCommand(request(trees[type]));
  const program = await toRootImageProgram(request(trees[type]));
  const { child, ...made } = await measure({ instance }, at("disk"), async () => {
    const began = performance.now();
    const phases = [];
    const child = spawn("sh", ["-c", 'echo $$ >"$0" && exec "$@"', instance.procs, ...words], {
      // Nobody reads the image, so that it is not sent.
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: at("disk") },
    });
    child.stdin.end(program);
    const said = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const phase = /^imgspec-phase: (\w+)/.exec(line)?.[1];
      if (phase !== undefined) phases.push([phase, (performance.now() - began) / 1000]);
      if (phase === "sending") break;
    }
    if (phases.at(-1)?.[0] !== "sending") throw new Error(`no image was made:\n${said.join("\n")}`);
    await once(spawn("sync", ["-f", at("disk")]), "exit");
    return { phases, child };
  });
  child.kill("SIGKILL");
  child.stdout.destroy();
  await once(child, "exit");
  return made;
}

/** What one would do by hand. */
export function copyByRsync(rig, type) {
  const nouuid = type === "xfs" ? "loop,nouuid" : "loop";
  return runThere(
    rig,
    `truncate -s "$SIZE" image; mkfs.${type} -q image; mkdir to; mount -o ${nouuid} image to
    rsync -aHAX --exclude='/tmp/*' --exclude='/proc/*' --exclude='/sys/*' --exclude='/run/*' "$TREE/" to/
    umount to; sync -f .`,
    type,
  );
}

/** Our bundle, by the two stages that make and upload it. `at`: instance or builder. */
export async function bundleOurs(rig, place) {
  const { emulator, sshd, trees, at, builder, instance } = rig;
  const child = fork(builderProgram, [at("built")], {
    // As the command line sets it.
    env: {
      ...process.env,
      UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())),
      NODE_NO_WARNINGS: "1",
    },
  });
  const [{ type }] = await once(child, "message");
  if (type !== "ready") throw new Error(`the builder said ${type}`);
  builder.add(child.pid);
  const { networkProxy: _, ...cloud } = emulator.cloud;
  const work = { cloud, address: sshd.address, hostKey: sshd.hostKey, tree: trees.ext4, place, bucket };
  const made = await measure({ instance, builder }, at("disk"), async () => {
    const ended = Promise.race([once(child, "message"), once(child, "exit")]);
    child.send(work);
    const [message] = await ended;
    if (message?.type !== "done")
      throw new Error(`the bundle was not made: ${message?.why ?? "the builder ended"}`);
    return message;
  });
  child.kill();
  return made;
}

/** What ec2-bundle-vol and ec2-upload-bundle do, without their Ruby and what that digests for itself. */
export async function bundleAmazons(rig) {
  const { accessKeyId, secretAccessKey } = rig.emulator.cloud.credentials;
  return runThere(
    rig,
    `dd if=/dev/zero of=image bs=1M count=1 seek=$(($(numfmt --from=iec "$SIZE") / 1048576 - 1)) 2>/dev/null
    mkfs.ext4 -q -F image; tune2fs -i 0 image >/dev/null; mkdir to; mount -o loop image to
    mkdir -p to/mnt to/proc to/sys to/dev
    mknod to/dev/null c 1 3; mknod to/dev/zero c 1 5; mknod to/dev/tty c 5 0; mknod to/dev/console c 5 1; ln -s null to/dev/X0R
    rsync -rlpgoD -t -r -S -l ${excludes.map((glob) => `--exclude '${glob}'`).join(" ")} -X "$TREE"/* to
    umount to
    mkfifo digest; openssl sha1 <digest >/dev/null & tar -chS --owner 0 --group 0 -C . image | tee digest | gzip -9 |
      openssl enc -e -aes-128-cbc -K ${key} -iv ${key} >image.tar.gz.enc
    wait
    split -b 10485760 -d -a 3 image.tar.gz.enc image.part.
    for part in image.part.*; do openssl sha1 <"$part" >/dev/null; done
    rm image.tar.gz.enc
    for part in image.part.*; do
      curl -sSL --fail -o /dev/null -T "$part" --aws-sigv4 aws:amz:us-east-1:s3 --user "${accessKeyId}:${secretAccessKey}" \
        -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -H 'x-amz-acl: aws-exec-read' -H 'content-type: application/octet-stream' \
        "${rig.emulator.url}/${bucket}/amazons/$part"
    done`,
    "ext4",
  );
}

const key = "00112233445566778899aabbccddeeff";

/** Its own, and its filter of names. */
const excludes = [
  ..."/dev /media /mnt /proc /sys".split(" "),
  ..."*/#*# */.#* *.sw *.swo *.swp *~ *.pem *.priv *id_rsa* *id_dsa* *.gpg *.jks */.ssh/authorized_keys */.bash_history".split(
    " ",
  ),
];

/** Runs a script on the instance's side, in a new directory of its disk. */
async function runThere({ at, trees, facts, instance }, script, type) {
  const size = `${type === "xfs" ? Math.max(facts.imageMib, 320) : facts.imageMib}M`;
  const directory = at("disk", "work");
  sh('rm -rf "$1"; mkdir "$1"; sync', directory);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, TREE: trees[type], SIZE: size };
  const made = await measure({ instance }, at("disk"), async () => {
    const entering = 'echo $$ >"$0" && exec bash -euo pipefail -c "$1"';
    const child = spawn("sh", ["-c", entering, instance.procs, script], {
      cwd: directory,
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`the script ended with ${code}:\n${script}`);
    return {};
  });
  const bundled = sh('cd "$1"; find . -name "image.part.*" -printf "%s\\n"', directory);
  sh('rm -rf "$1"; sync', directory);
  return { ...made, bundledSizeBytes: bundled.split("\n").reduce((sum, size) => sum + Number(size), 0) };
}
