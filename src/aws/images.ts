import { DeregisterImageCommand, DescribeImagesCommand, type Image as Ec2Image } from "@aws-sdk/client-ec2";
import { Problem } from "../problem.ts";
import { call, creating, type Link } from "./client.ts";
import { type Fresh, isNotFound } from "./fresh.ts";
import type { Image, ImageQuery, Provider } from "./provider.ts";
import { hasRoot, toRegisterImage } from "./register-image.ts";
import { isOurs, toTags } from "./tags.ts";

type Images = Pick<Provider, "findImages" | "registerImage" | "deregisterImage">;

/** AMIs, over EC2's API. */
export function toImages(link: Link, fresh: Fresh): Images {
  const search = async (query: ImageQuery, signal: AbortSignal) => {
    const found: Ec2Image[] = [];
    let next: string | undefined;
    do {
      const page = await call(link, toDescribeImages(query, next), { signal });
      found.push(...(page.Images ?? []));
      next = page.NextToken;
    } while (next);
    return found;
  };

  return {
    findImages: async (query, signal) => {
      const { ids = [] } = query;
      try {
        return (await fresh.settled(ids, signal, () => search(query, signal))).map(toImage);
      } catch (error) {
        if (ids.length > 0 && isNotFound(error)) return [];
        throw error;
      }
    },

    registerImage: async (request, signal) => {
      try {
        const command = toRegisterImage(request);
        const { ImageId } = await call(link, command, { signal: creating(signal), resource: request.name });
        if (ImageId === undefined)
          throw new Problem("aws-fault", "EC2 answered RegisterImage without an image");
        fresh.add(ImageId);
        return { id: ImageId };
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "name-taken") throw error;
        const named = { owners: ["self"], filters: { name: [request.name] } };
        const [taken] = await search(named, signal);
        if (taken?.ImageId === undefined) throw error;
        // RegisterImage has no client token: an earlier try was heard, and its answer lost.
        const ours = isOurs(taken.Tags, request.tags) && hasRoot(taken, request);
        if (ours) return { id: taken.ImageId };
        throw new Problem("name-taken", `${error.message}: ${taken.ImageId}`, {
          hint: error.hint,
          cause: error.cause,
        });
      }
    },

    deregisterImage: async (id, signal) => {
      try {
        await fresh.settled([id], signal, () =>
          call(link, new DeregisterImageCommand({ ImageId: id }), { signal, resource: id }),
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      fresh.forget(id);
    },
  };
}

function toDescribeImages(
  { ids, owners, filters, disabledToo }: ImageQuery,
  next: string | undefined,
): DescribeImagesCommand {
  return new DescribeImagesCommand({
    // Amazon deprecates its images after two years, and every one with an instance store root is older than that.
    IncludeDeprecated: true,
    ...(disabledToo ? { IncludeDisabled: true } : {}),
    ...(ids === undefined ? {} : { ImageIds: [...ids] }),
    ...(owners === undefined ? {} : { Owners: [...owners] }),
    ...(filters === undefined
      ? {}
      : { Filters: Object.entries(filters).map(([Name, Values]) => ({ Name, Values: [...Values] })) }),
    ...(next === undefined ? {} : { NextToken: next }),
  });
}

function toImage(found: Ec2Image): Image {
  return {
    id: found.ImageId ?? "",
    name: found.Name ?? "",
    owner: found.OwnerId ?? "",
    state: found.State ?? "pending",
    createdAt: found.CreationDate ?? "",
    architecture: found.Architecture ?? "",
    virtualization: found.VirtualizationType ?? "",
    rootDeviceType: found.RootDeviceType ?? "",
    rootDeviceName: found.RootDeviceName ?? "",
    location: found.ImageLocation ?? "",
    ...toSupport(found),
    // Or `enabled-with-cooldown`, `enabled-without-cooldown`, `disabling-until` a time.
    isProtected: (found.DeregistrationProtection ?? "disabled") !== "disabled",
    blockDeviceMappings: (found.BlockDeviceMappings ?? []).flatMap(({ DeviceName, VirtualName }) =>
      DeviceName && VirtualName ? [{ device: DeviceName, virtual: VirtualName }] : [],
    ),
    stateReason: found.StateReason?.Message || null,
    description: found.Description || null,
    tags: toTags(found.Tags),
  };
}

/** What its instances boot with, and may have, or must. */
function toSupport(
  found: Ec2Image,
): Pick<Image, "kernel" | "ramdisk" | "enaSupport" | "sriovNetSupport" | "imdsSupport"> {
  return {
    kernel: found.KernelId || null,
    ramdisk: found.RamdiskId || null,
    enaSupport: found.EnaSupport ?? false,
    sriovNetSupport: found.SriovNetSupport || null,
    imdsSupport: found.ImdsSupport || null,
  };
}
