import { join } from "node:path";
import type { AmiToolsInput } from "../../src/stage/ami-tools.ts";
import type { LaunchedInstance } from "../../src/stage/launch.ts";
import type { Sshd } from "./sshd.ts";
import { certificate } from "./stage-inputs.ts";

export const bundleCommand = "ec2-bundle-vol {arguments}";
export const uploadCommand = "ec2-upload-bundle {arguments}";

/** A bundle in the bucket `acme-images`. */
export function toAmiToolsInput(
  given: Pick<AmiToolsInput, "on" | "checked" | "prefix"> & Partial<AmiToolsInput>,
): AmiToolsInput {
  return {
    name: "image",
    sizeMib: null,
    exclude: [],
    partition: null,
    inherit: false,
    destination: null,
    credentials: "builder",
    bundleArguments: ["--no-filter"],
    uploadArguments: [],
    bundleCommand,
    uploadCommand,
    bucket: "acme-images",
    acl: "aws-exec-read",
    certificate,
    blockDeviceMappings: [{ device: "/dev/sdb", virtual: "ephemeral0" }],
    ...given,
  };
}

type Reached = Pick<LaunchedInstance, "hostKey" | "publicKey" | "connectTimeoutSeconds" | "privateKeyPath">;

export function reached({ hostKey, directory }: Sshd): Reached {
  return { hostKey, publicKey: "", connectTimeoutSeconds: 20, privateKeyPath: join(directory, "user") };
}
