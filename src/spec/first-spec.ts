import { parseDocument } from "yaml";

/** What a template's values are replaced by; absent: they stay. */
export type FirstValues = {
  readonly name?: string | undefined;
  readonly bucket?: string | undefined;
  readonly region?: readonly string[] | undefined;
};

/** A template with values of one's own, its comments kept. */
export function toFirstSpec(template: string, { name, bucket, region }: FirstValues): string {
  if (name === undefined && bucket === undefined && region === undefined) return template;
  const document = parseDocument(template);
  if (name !== undefined) document.setIn(["name"], name);
  if (bucket !== undefined) document.setIn(["upload", "bucket"], bucket);
  if (region !== undefined) {
    document.setIn(["regions"], document.createNode(Object.fromEntries(region.map((one) => [one, {}]))));
  }
  return document.toString({ lineWidth: 0 });
}
