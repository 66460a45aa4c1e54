import type { Diagnostic } from "../diagnostic.ts";
import { toDocument } from "../document/document.ts";
import type { MapNode, Node } from "../document/node.ts";
import type { Text } from "../document/text.ts";
import { Problem } from "../problem.ts";
import { Leftovers } from "./leftovers.ts";
import { otherProvisioner, postProcessor } from "./not-carried.ts";
import {
  type Block,
  type Builder,
  letsThrough,
  overridden,
  type Template,
  type TemplateVariable,
} from "./template.ts";

/** Reads a template in JSON. Throws `spec-invalid`, with its places, for what is no such template. */
export function readJsonTemplate(text: Text): Template {
  const { root, diagnostics } = toDocument(text);
  if (root?.kind !== "map" || !root.entries.has("builders"))
    throw new Problem("spec-invalid", `"${text.path}" is no template of Packer`, {
      hint: "a template in JSON has builders; one in HCL2 ends with .pkr.hcl, or in JSON with .pkr.json",
      diagnostics,
    });
  const leftovers = new Leftovers();
  return {
    path: text.path,
    description: textIn(root, "description"),
    variables: toVariables(root),
    builders: itemsOf(root, "builders").map((node) => toBuilder(node, root)),
    leftovers,
    reasons: new Map(),
  };
}

function toVariables(root: MapNode): ReadonlyMap<string, TemplateVariable> {
  const map = root.entries.get("variables")?.node;
  const sensitive = new Set(
    listOf(root, "sensitive-variables").map((node) => (node.kind === "scalar" ? String(node.value) : "")),
  );
  if (map?.kind !== "map") return new Map();
  return new Map(
    [...map.entries]
      .filter(([name]) => !name.startsWith("_"))
      .map(([name, { keyPlace, node }]) => {
        const isNull = node.kind === "scalar" && node.value === null;
        const [, environment] =
          /^\{\{\s*env\s+[`"](\w+)[`"]\s*\}\}$/.exec(node.kind === "scalar" ? String(node.value) : "") ?? [];
        return [
          name,
          {
            place: keyPlace,
            default: isNull || environment !== undefined ? undefined : node,
            environment,
            description: undefined,
            type: undefined,
            sensitive: sensitive.has(name),
          },
        ];
      }),
  );
}

function toBuilder(options: MapNode, root: MapNode): Builder {
  const type = textIn(options, "type") ?? "";
  const name = textIn(options, "name") ?? type;
  const provisioners = itemsOf(root, "provisioners").filter((node) => letsThrough(node, [name]));
  const entries = new Map(options.entries);
  entries.delete("type");
  entries.delete("name");
  return {
    name,
    type,
    place: options.place,
    options: { ...options, entries },
    provisioners: provisioners.map((node) => toBlock(node, name)),
    others: [...postProcessors(root, name), ...errorCleanup(root)],
    sourceFilter: undefined,
  };
}

function toBlock(node: MapNode, builder: string): Block {
  return { type: textIn(node, "type") ?? "", place: node.place, options: overridden(node, [builder]) };
}

/** A list of them, in which lists of several stand for a sequence; a bare word is one without options. */
function postProcessors(root: MapNode, builder: string): readonly Diagnostic[] {
  return listOf(root, "post-processors")
    .flatMap((node) => (node.kind === "list" ? node.items : [node]))
    .filter((node) => node.kind !== "map" || letsThrough(node, [builder]))
    .map((node) => {
      const type =
        node.kind === "map" ? textIn(node, "type") : node.kind === "scalar" ? String(node.value) : "";
      return postProcessor(type ?? "", node.place);
    });
}

function errorCleanup(root: MapNode): readonly Diagnostic[] {
  const entry = root.entries.get("error-cleanup-provisioner");
  return entry ? [otherProvisioner("error-cleanup-provisioner", entry.keyPlace)] : [];
}

function listOf(root: MapNode, key: string): readonly Node[] {
  const node = root.entries.get(key)?.node;
  return node?.kind === "list" ? node.items : [];
}

function itemsOf(root: MapNode, key: string): readonly MapNode[] {
  return listOf(root, key).filter((node) => node.kind === "map");
}

function textIn(map: MapNode, key: string): string | undefined {
  const node = map.entries.get(key)?.node;
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}
