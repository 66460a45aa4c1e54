// The builder's side of a bundle, in a process of its own so that it can be measured (volume-copy-ways.mjs forks it):
// it gets what to do as a message and makes and uploads one bundle by the stages of a build.
import { once } from "node:events";
import { join } from "node:path";
import { argv } from "node:process";

/** Of a root, with what a spec has by default. */
export function request(root) {
  return {
    root,
    partition: "none",
    sizeMib: null,
    exclude: ["/tmp/**", "/var/tmp/**", "/proc/**", "/sys/**", "/run/**", "/mnt/**", "/media/**"],
    include: [],
    fstab: "keep",
    hygiene: {
      authorizedKeys: "keep",
      sshHostKeys: "scrub",
      machineId: "scrub",
      shellHistories: "scrub",
      cloudInit: "scrub",
      cloudCredentials: "refuse",
      privateKeys: "refuse",
      logs: "keep",
    },
    allow: [],
    hook: null,
    forgetKey: "ssh-ed25519 AAAA",
  };
}

if (process.send !== undefined && argv[1] === import.meta.filename) {
  const load = (name) => import(join(argv[2] ?? "", `${name}.js`));
  const { bundle } = await load("src/stage/bundle");
  const { upload } = await load("src/stage/upload");
  const { newStageRig } = await load("test/help/stage-rig");
  const { account, certificate, toChecked, toImage } = await load("test/help/stage-inputs");

  const told = once(process, "message");
  process.send({ type: "ready" });
  const [work] = await told;
  try {
    process.send({ type: "done", ...(await make(work)) });
  } catch (error) {
    process.send({ type: "failed", why: String(error?.stack ?? error) });
  }

  async function make({ cloud, address, hostKey, tree, place, bucket }) {
    const rig = await newStageRig(cloud);
    const { hook: script, forgetKey: publicKey, ...copy } = request(tree);
    const on = {
      account,
      instanceId: "i-0123456789abcdef0",
      instanceType: "m3.medium",
      ...{
        host: address.host,
        port: address.port,
        user: address.user,
        privateKeyPath: address.privateKeyPath,
      },
      ...{ publicKey, hostKey, connectTimeoutSeconds: 30 },
    };
    const where = { bucket, prefix: `${place}/${process.pid}`, acl: "aws-exec-read" };
    const made = await rig.stage(bundle, {
      on,
      checked: toChecked(toImage()),
      at: place,
      upload: where,
      name: "image",
      copy: { ...copy, script },
      compression: 5,
      certificate,
      blockDeviceMappings: [],
    });
    if (made.isStored !== (place === "instance")) throw new Error(`made elsewhere: ${rig.lines.join("; ")}`);
    await rig.stage(upload, { bundle: made, ...where, concurrency: 4 });
    const { sizeBytes, bundledSizeBytes } = made;
    return { sizeBytes, bundledSizeBytes };
  }
}
