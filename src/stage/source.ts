import type { Image, Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";

export type SourceQuery =
  | { readonly kind: "image"; readonly image: string }
  | {
      readonly kind: "find";
      readonly name: string | null;
      readonly owners: readonly string[];
      readonly architecture: string | null;
      readonly virtualization: string | null;
      readonly newest: boolean;
      readonly filters: { readonly [name: string]: readonly string[] };
    };

/** The one AMI that a spec's `source` means. It must be available and have an instance-store root. */
export async function findSource(
  provider: Provider,
  query: SourceQuery,
  signal: AbortSignal,
): Promise<Image> {
  const found = await provider.findImages(
    query.kind === "image" ? { ids: [query.image] } : { owners: query.owners, filters: toFilters(query) },
    signal,
  );
  const image = query.kind === "image" ? found[0] : choose(found, query.newest, provider.region);
  if (!image) {
    throw new Problem("source-missing", `no AMI in ${provider.region} is ${describe(query)}`, {
      hint: `look with: aws ec2 describe-images --region ${provider.region} ${toFlags(query)}`,
    });
  }
  if (image.state !== "available") {
    throw new Problem("source-missing", `the source AMI ${image.id} is ${image.state}`, {
      hint: "wait until it is available, or name another one in source",
    });
  }
  if (image.rootDeviceType !== "instance-store") {
    throw new Problem("source-missing", `the source AMI ${image.id} has an ${image.rootDeviceType} root`, {
      hint: "an instance store-backed image is built from an instance store-backed AMI: filter root-device-type=instance-store",
    });
  }
  return image;
}

type FindQuery = Extract<SourceQuery, { kind: "find" }>;

function toFilters(query: FindQuery): { [name: string]: readonly string[] } {
  return {
    "root-device-type": ["instance-store"],
    "image-type": ["machine"],
    state: ["available"],
    ...(query.name === null ? {} : { name: [query.name] }),
    ...(query.architecture === null ? {} : { architecture: [query.architecture] }),
    ...(query.virtualization === null ? {} : { "virtualization-type": [query.virtualization] }),
    ...query.filters,
  };
}

function choose(found: readonly Image[], newest: boolean, region: string): Image | undefined {
  const byAge = [...found].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const [first, second] = byAge;
  if (second && !newest) {
    const names = byAge.slice(0, 5).map(({ id, name }) => `${id} ${name}`);
    throw new Problem(
      "source-missing",
      `${byAge.length} AMIs in ${region} match source.find: ${names.join(", ")}`,
      {
        hint: "set source.find.newest: true, or narrow the name",
      },
    );
  }
  return first;
}

function describe(query: SourceQuery): string {
  if (query.kind === "image") return query.image;
  const filters = Object.entries(toFilters(query)).map(([name, values]) => `${name}=${values.join(",")}`);
  return `owned by ${query.owners.join(", ")} with ${filters.join(" ")}`;
}

function toFlags(query: SourceQuery): string {
  return query.kind === "image" ? `--image-ids ${query.image}` : `--owners ${query.owners.join(" ")}`;
}
