import { type MapNode, nodeAt } from "../document/node.ts";
import { Problem } from "../problem.ts";
import { nearest } from "../util/nearest.ts";
import { knownRegions } from "../util/region.ts";
import type { Finding } from "./finding.ts";
import { presetNamesOf } from "./region-node.ts";

/** The spec's regions, or those chosen of them. Throws `usage-wrong` for a chosen one that the spec does not have. */
export function chosenRegions(root: MapNode, chosen: readonly string[] | undefined): readonly string[] {
  const written = regionsOf(root);
  if (!chosen || chosen.length === 0 || written.length === 0) return written;
  for (const name of chosen) {
    if (written.includes(name)) continue;
    const meant = nearest(name, written);
    throw new Problem("usage-wrong", `the spec has no region "${name}"`, {
      hint: meant ? `did you mean --region ${meant}?` : `it has ${written.join(", ")}`,
    });
  }
  return written.filter((name) => chosen.includes(name));
}

/** What can be said of the names of regions without asking EC2. */
export function* regionFindings(root: MapNode): Iterable<Finding> {
  if (!root.entries.has("regions")) {
    yield {
      code: "region-missing",
      at: [],
      message: "the spec names no region to build in",
      hint: "add at least one, such as regions: { us-east-1: {} }",
    };
  }
  yield* presetFindings(root);
  for (const name of regionsOf(root)) {
    if (knownRegions.includes(name)) continue;
    const meant = isPlausible(name) ? undefined : nearest(name, knownRegions);
    const at = ["regions", name];
    if (meant === undefined && regionForm.test(name)) {
      const message = `"${name}" is not among the regions that this program knows; going on as if it exists`;
      yield { code: "region-unlisted", at, on: "key", message };
    } else {
      const hint = meant ? `did you mean "${meant}"?` : "a region is named like us-east-1";
      yield { code: "region-unknown", at, on: "key", message: `there is no region "${name}"`, hint };
    }
  }
}

function* presetFindings(root: MapNode): Iterable<Finding> {
  const presets = nodeAt(root, ["presets"]);
  const known = presets?.kind === "map" ? [...presets.entries.keys()] : [];
  for (const region of regionsOf(root)) {
    for (const { name, at } of presetNamesOf(nodeAt(root, ["regions", region]))) {
      if (known.includes(name)) continue;
      const meant = nearest(name, known);
      const hint =
        known.length > 0 ? `the presets are ${known.join(", ")}` : "write it under presets, at the top";
      const message = `there is no preset "${name}"`;
      const found = { code: "preset-unknown", at: ["regions", region, ...at], message } as const;
      yield { ...found, hint: meant ? `did you mean "${meant}"?` : hint };
    }
  }
}

function regionsOf(root: MapNode): string[] {
  const node = nodeAt(root, ["regions"]);
  return node?.kind === "map" ? [...node.entries.keys()] : [];
}

const regionForm = /^[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}$/;

/** Made of the words that regions are named with, so rather a new region than a typing error. */
function isPlausible(name: string): boolean {
  const words = new Set(knownRegions.flatMap((region) => region.split("-").slice(0, -1)));
  return (
    regionForm.test(name) &&
    name
      .split("-")
      .slice(0, -1)
      .every((word) => words.has(word))
  );
}
