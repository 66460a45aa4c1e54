import type { Tags } from "./provider.ts";

type Ec2Tag = { readonly Key?: string | undefined; readonly Value?: string | undefined };

/** Tags as EC2 takes them. */
export function toTagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Tags as EC2 gives them. */
export function toTags(list: readonly Ec2Tag[] = []): Tags {
  return Object.fromEntries(list.flatMap(({ Key, Value = "" }) => (Key === undefined ? [] : [[Key, Value]])));
}

/** Whether a thing that already exists is the very one that was asked for: it carries every tag of the request. */
export function isOurs(list: readonly Ec2Tag[] | undefined, tags: Tags): boolean {
  const theirs = toTags(list);
  const wanted = Object.entries(tags);
  return wanted.length > 0 && wanted.every(([key, value]) => theirs[key] === value);
}
