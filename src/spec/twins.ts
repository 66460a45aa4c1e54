import type { Diagnostic } from "../diagnostic.ts";
import { type Path, placeAt } from "../document/node.ts";
import { groupName } from "../util/task-id.ts";
import { diagnosticAt } from "./finding.ts";
import type { WrittenRegion } from "./rendered.ts";
import type { ImageSpec } from "./spec.ts";

type Made = { readonly image: ImageSpec | undefined; readonly written?: WrittenRegion };

/** Images of one region that would take each other's place: the same name, the same objects in S3, or the same tasks. */
export function* twins(made: readonly Made[]): Iterable<Diagnostic> {
  const seen = new Map<string, ImageSpec>();
  for (const { image, written } of made) {
    if (!image || !written) continue;
    for (const { what, value, at, hint } of placesOf(image)) {
      const key = `${image.region.name} ${image.profile} ${what} ${value}`;
      const other = seen.get(key);
      seen.set(key, image);
      if (!other) continue;
      const both =
        other.variant === image.variant ? "two combinations" : `${toLabel(other)} and ${toLabel(image)}`;
      const message = `${both} ${what} "${value}"`;
      yield diagnosticAt(placeAt(written.node, at, "value"), { code: "image-twice", message, hint });
    }
  }
}

type Taken = { readonly what: string; readonly value: string; readonly at: Path; readonly hint: string };

function placesOf({ region, variant, register, upload, bundle }: ImageSpec): readonly Taken[] {
  const put = (key: string): string => `put \${{ matrix.… }} into ${key}`;
  const [name, prefix] = [
    ["register", "name"],
    ["upload", "prefix"],
  ];
  return [
    { what: "are both named", value: register.name, at: name, hint: put("register.name") },
    {
      what: "both go to",
      value: `s3://${upload.bucket}/${upload.prefix}/${bundle.name}`,
      at: prefix,
      hint: put("upload.prefix"),
    },
    {
      what: "are both called",
      value: groupName(region.name, variant),
      at: name,
      hint: "give the matrix values that differ in letters and digits",
    },
  ];
}

function toLabel({ region, variant }: ImageSpec): string {
  return variant === null ? region.name : `${region.name} ${variant}`;
}
