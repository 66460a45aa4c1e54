import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import type { Params } from "./params.ts";

export type Tags = Readonly<Record<string, string>>;

const maxTags = 50;

/** `TagSpecification.N` for one resource type; a specification for another type is an error, as in EC2. */
export function readTagSpecifications(
  params: Params,
  resourceType: string,
  others: readonly string[] = [],
): Tags {
  const tags: Record<string, string> = {};
  for (const specification of params.groups("TagSpecification")) {
    const type = specification.required("ResourceType");
    if (type !== resourceType) {
      if (others.includes(type)) continue;
      throw new AwsFault(
        "InvalidParameterValue",
        `'${type}' is not a valid taggable resource type for this operation.`,
      );
    }
    Object.assign(tags, readTags(specification));
  }
  return tags;
}

/** `Tag.N.Key` and `Tag.N.Value`. */
export function readTags(params: Params): Tags {
  const tags: Record<string, string> = {};
  for (const tag of params.groups("Tag")) {
    const key = tag.required("Key");
    if (key.length > 127)
      throw new AwsFault("InvalidParameterValue", `Tag key exceeds the maximum length of 127 characters`);
    if (key.toLowerCase().startsWith("aws:")) {
      throw new AwsFault(
        "InvalidParameterValue",
        "Tag keys starting with 'aws:' are reserved for internal use",
      );
    }
    const value = tag.text("Value") ?? "";
    if (value.length > 255)
      throw new AwsFault("InvalidParameterValue", "Tag value exceeds the maximum length of 255 characters");
    if (key in tags) throw new AwsFault("InvalidParameterValue", `Duplicate tag key '${key}' specified.`);
    tags[key] = value;
  }
  return tags;
}

/** Throws when a resource would have too many tags. */
export function checkTagCount(tags: Tags): Tags {
  if (Object.keys(tags).length <= maxTags) return tags;
  throw new AwsFault("TagLimitExceeded", `The maximum number of Tags for a resource has been reached.`);
}

/** As EC2 writes a tagSet; left out where there are none. */
export function toTagSet(tags: Tags): XmlValue {
  const entries = Object.entries(tags);
  return entries.length === 0 ? undefined : toItems(entries.map(([key, value]) => ({ key, value })));
}
