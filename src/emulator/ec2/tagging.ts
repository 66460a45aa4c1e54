import { AwsFault } from "../fault.ts";
import { toItems } from "../xml.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { groupById } from "./groups.ts";
import { imageOf } from "./images.ts";
import { toPage } from "./pages.ts";
import { snapshotById } from "./snapshots.ts";
import type { RegionState } from "./state.ts";
import { checkTagCount, readTags, type Tags } from "./tags.ts";

type Tagged = { readonly id: string; readonly tags: Tags };

/** Where things of each kind are kept, by what their ids begin with. */
function tableOf(
  region: RegionState,
  id: string,
): { readonly type: string; readonly table: Map<string, Tagged> } {
  const tables: Readonly<Record<string, readonly [string, Map<string, Tagged>]>> = {
    ami: ["image", region.images as Map<string, Tagged>],
    i: ["instance", region.instances as Map<string, Tagged>],
    lt: ["launch-template", region.launchTemplates as Map<string, Tagged>],
    key: ["key-pair", region.keyPairs as Map<string, Tagged>],
    sg: ["security-group", region.groups as Map<string, Tagged>],
    snap: ["snapshot", region.snapshots as Map<string, Tagged>],
  };
  const found = tables[id.slice(0, id.indexOf("-"))];
  if (!found) throw new AwsFault("InvalidID", `The ID '${id}' is not valid`);
  return { type: found[0], table: found[1] };
}

function checkExists({ region }: Ec2Call, id: string): void {
  if (id.startsWith("ami-")) imageOf(region.images, id);
  if (id.startsWith("snap-")) snapshotById(region.snapshots, id);
  if (id.startsWith("sg-")) groupById(region.groups, id);
  if (tableOf(region, id).table.has(id)) return;
  if (id.startsWith("key-"))
    throw new AwsFault("InvalidKeyPair.NotFound", `The keyPair ID '${id}' does not exist`);
  if (id.startsWith("lt-"))
    throw new AwsFault("InvalidLaunchTemplateId.NotFound", `The launch template ID '${id}' does not exist`);
  throw new AwsFault("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
}

const createTags: Ec2Action = (call) => {
  const ids = resourcesOf(call);
  const added = readTags(call.params);
  if (Object.keys(added).length === 0)
    throw new AwsFault("MissingParameter", "The request must contain the parameter Tag");
  change(call, ids, (tags) => checkTagCount({ ...tags, ...added }));
  return { ...done };
};

/** Without tags all go; a tag with a value goes only where it has this value. */
const deleteTags: Ec2Action = (call) => {
  const ids = resourcesOf(call);
  const wanted = call.params.groups("Tag").map((tag) => [tag.required("Key"), tag.text("Value")] as const);
  change(call, ids, (tags) => {
    const kept = Object.entries(tags).filter(
      ([key, value]) =>
        !wanted.some(([name, only]) => name === key && (only === undefined || only === value)),
    );
    return wanted.length === 0 ? {} : Object.fromEntries(kept);
  });
  return { ...done };
};

function resourcesOf(call: Ec2Call): readonly string[] {
  const ids = call.params.list("ResourceId");
  if (ids.length === 0)
    throw new AwsFault("MissingParameter", "The request must contain the parameter ResourceId");
  for (const id of ids) checkExists(call, id);
  return ids;
}

function change(call: Ec2Call, ids: readonly string[], toTags: (tags: Tags) => Tags): void {
  const changed = ids.flatMap((id) => {
    const thing = tableOf(call.region, id).table.get(id);
    return thing ? [{ ...thing, tags: toTags(thing.tags) }] : [];
  });
  proceed(call);
  for (const thing of changed) tableOf(call.region, thing.id).table.set(thing.id, thing);
}

const describeTags: Ec2Action = ({ params, region }) => {
  const things: readonly Tagged[] = [
    ...region.images.values(),
    ...region.snapshots.values(),
    ...region.instances.values(),
    ...region.keyPairs.values(),
    ...region.launchTemplates.values(),
    ...region.groups.values(),
  ];
  const all = things.flatMap(({ id, tags }) =>
    Object.entries(tags).map(([key, value]) => ({ id, key, value, type: tableOf(region, id).type })),
  );
  const chosen = filtered(params, all, {
    key: ({ key }) => key,
    value: ({ value }) => value,
    "resource-id": ({ id }) => id,
    "resource-type": ({ type }) => type,
  });
  const page = toPage(params, chosen);
  return {
    tagSet: toItems(
      page.things.map(({ id, key, value, type }) => ({ resourceId: id, resourceType: type, key, value })),
    ),
    nextToken: page.nextToken,
  };
};

export const tagActions: Readonly<Record<string, Ec2Action>> = {
  CreateTags: createTags,
  DeleteTags: deleteTags,
  DescribeTags: describeTags,
};
