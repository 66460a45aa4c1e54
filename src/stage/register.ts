import type { Account } from "../aws/cloud.ts";
import type { Image, RegisterRequest, Tags } from "../aws/provider.ts";
import { runTag } from "../image/built-image.ts";
import { Problem } from "../problem.ts";
import type { CertificateVariant } from "../util/region.ts";
import type { Bundle } from "./bundle.ts";
import { expectImage, waitForImage } from "./registered-image.ts";
import { image } from "./resources.ts";
import type { Stage } from "./stage.ts";
import type { VerifiedBundle } from "./verify.ts";

export type RegisterInput = {
  readonly bundle: RegisterFacts;
  readonly verified: VerifiedBundle;
  readonly name: string;
  readonly description: string | null;
  readonly tags: Tags;
  /** What is not said, like the next two, is as for the source. */
  readonly enaSupport: boolean | null;
  readonly sriovNetSupport: "simple" | "none" | null;
  readonly metadataTokens: "required" | "optional" | null;
  readonly checked: { readonly source: Pick<Image, "enaSupport" | "sriovNetSupport" | "imdsSupport"> };
  /** The variant whose key the region's EC2 holds, as far as it is known. */
  readonly regionalKey: CertificateVariant | null;
  /** The tasks whose resources become the product once the image is there: its objects and itself. */
  readonly products: readonly string[];
};

/** What of a bundle is told to EC2, or explains what EC2 says. */
export type RegisterFacts = Pick<
  Bundle,
  "ec2Key" | "architecture" | "virtualization" | "kernel" | "ramdisk" | "blockDeviceMappings"
>;

export type RegisteredImage = {
  readonly account: Account;
  readonly region: string;
  readonly imageId: string;
  readonly name: string;
  readonly location: string;
  readonly architecture: string;
  readonly virtualization: string;
};

export const register: Stage<RegisterInput, RegisteredImage> = {
  kind: "register.instance-store",
  title: "Register the image",
  exitCode: 7,
  summarize: ({ imageId }) => imageId,
  run: async (input, context) => {
    const { bundle, verified } = input;
    const { account } = verified;
    const request = {
      name: input.name,
      description: input.description,
      location: verified.location,
      architecture: bundle.architecture,
      virtualization: bundle.virtualization,
      kernel: bundle.kernel,
      ramdisk: bundle.ramdisk,
      ...toSupport(input),
      blockDeviceMappings: bundle.blockDeviceMappings,
      tags: { ...input.tags, [runTag]: context.run.id },
    };
    const { id } = await context.scope.acquire(image, { account, request }).catch((error: unknown) => {
      throw explain(error, input);
    });
    context.log(`${id} registered, waiting until it is available`);
    const seen = await waitForImage(account, id, "EC2 could not read or open the bundle", context);
    expectImage(
      seen,
      { ...request, id, rootDeviceType: "instance-store" },
      "set register.architecture and register.virtualization to what the image really is",
    );
    await context.scope.keepOf(input.products);
    context.log(`${id} is available and is what was asked for`);
    return {
      account,
      region: account.region,
      imageId: id,
      name: input.name,
      location: verified.location,
      architecture: bundle.architecture,
      virtualization: bundle.virtualization,
    };
  },
};

/** What instances of the image may have: what the spec says, otherwise what the source has. A paravirtual image has no drivers for it. */
function toSupport(
  input: RegisterInput,
): Required<Pick<RegisterRequest, "enaSupport" | "sriovNetSupport" | "imdsV2">> {
  const { source } = input.checked;
  const isHvm = input.bundle.virtualization === "hvm";
  const { sriovNetSupport, metadataTokens } = input;
  return {
    enaSupport: input.enaSupport ?? (isHvm && source.enaSupport),
    sriovNetSupport: (sriovNetSupport ?? (isHvm ? source.sriovNetSupport : null)) === "simple",
    imdsV2: metadataTokens === null ? source.imdsSupport === "v2.0" : metadataTokens === "required",
  };
}

/** EC2 says only that it cannot open the bundle; with which key it was closed we know. */
function explain(error: unknown, { bundle, regionalKey, verified }: RegisterInput): unknown {
  if (!(error instanceof Problem) || error.code !== "manifest-refused") return error;
  if (regionalKey === null || bundle.ec2Key === regionalKey) return error;
  return new Problem(
    "manifest-refused",
    `EC2 in ${verified.account.region} cannot open the bundle: its key is wrapped for ${bundle.ec2Key}, and ${verified.account.region} holds the ${regionalKey} key (${error.message})`,
    {
      hint: `leave certificate.ec2 out, or set it to ${regionalKey}, for ${verified.account.region}`,
      cause: error,
    },
  );
}
