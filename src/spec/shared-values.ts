import type { Node } from "../document/node.ts";

/** What a value is different for: bits, so that a map is different for all that anything in it is. */
export const variesBy = { nothing: 0, matrix: 1, region: 2, image: 3 } as const;

/** Values of one image that others have as well. */
export type SharedValues = {
  find(node: Node): Shared | undefined;
  keep(node: Node, shared: Shared): void;
};

export type Shared = { readonly node: Node; readonly varies: number };

/** By the node that was evaluated; a family of specs has most of its nodes in all images. */
type Known = { readonly varies: number; readonly nodes: Map<string, Node> };

/** Makes what the images of a spec share, for each of them by its region and its combination of the matrix. */
export function newSharing(): (region: string, combination: string) => SharedValues {
  const values = new WeakMap<Node, Known>();
  return (region, combination) => {
    const keys = ["", `matrix ${combination}`, `region ${region}`];
    return {
      find: (node) => {
        const known = values.get(node);
        const found = known?.nodes.get(keys[known.varies] ?? "");
        return known && found && { node: found, varies: known.varies };
      },
      keep: (node, { node: value, varies }) => {
        const key = keys[varies];
        if (key === undefined) return;
        const known = values.get(node) ?? { varies, nodes: new Map() };
        known.nodes.set(key, value);
        values.set(node, known);
      },
    };
  };
}
