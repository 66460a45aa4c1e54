import type { Diagnostic } from "../diagnostic.ts";
import { placeAt } from "../document/node.ts";
import { diagnosticAt } from "./finding.ts";
import type { WrittenRegion } from "./rendered.ts";
import type { ImageSpec } from "./spec.ts";

type Made = { readonly image: ImageSpec | undefined; readonly written?: WrittenRegion };

/** Images of one region that would take each other's place: the same name, or the same objects in S3. */
export function* twins(made: readonly Made[]): Iterable<Diagnostic> {
  const seen = new Map<string, ImageSpec>();
  for (const { image, written } of made) {
    if (!image || !written) continue;
    const { region, profile, register, upload, bundle } = image;
    const account = `${region.name} ${profile}`;
    const places = [
      [`${account} name ${register.name}`, ["register", "name"], "are both named"],
      [`${account} s3 ${upload.bucket}/${upload.prefix}/${bundle.name}`, ["upload", "prefix"], "both go to"],
    ] as const;
    for (const [key, at, what] of places) {
      const other = seen.get(key);
      seen.set(key, image);
      if (!other) continue;
      const value = at[0] === "register" ? register.name : `s3://${upload.bucket}/${upload.prefix}`;
      const message = `${toLabel(other)} and ${toLabel(image)} ${what} "${value}"`;
      const hint = `put \${{ matrix.… }} into ${at.join(".")}`;
      yield diagnosticAt(placeAt(written.node, at, "value"), { code: "image-twice", message, hint });
    }
  }
}

function toLabel({ region, variant }: ImageSpec): string {
  return variant === null ? region.name : `${region.name} ${variant}`;
}
