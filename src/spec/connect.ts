import { type Node, nodeAt, type Path } from "../document/node.ts";
import { toAbsolute } from "./absolute.ts";
import type { WrittenImage } from "./image.gen.ts";
import { toSeconds } from "./quantity.ts";
import type { ImageSpec } from "./spec.ts";

type Connect = ImageSpec["connect"];

/** How to log in: paths absolute, passwords by the names of their secrets. */
export function toConnect(written: WrittenImage["connect"], { node }: { readonly node: Node }): Connect {
  const { user, port, address, hostKey, agent, proxy, bastions } = written;
  const toPath = (path: string | null, ...at: Path): string | null =>
    path === null ? null : toAbsolute(node, ["connect", ...at], path);
  return {
    user,
    port,
    address,
    hostKey,
    timeoutSeconds: toSeconds(written.timeout),
    privateKey: toPath(written.privateKey, "privateKey"),
    agent,
    sudoPassword: secretAt(node, ["connect", "sudoPassword"]),
    proxy:
      proxy === null
        ? null
        : { url: proxy.url, user: proxy.user, password: secretAt(node, ["connect", "proxy", "password"]) },
    bastions: bastions.map((one, index) => ({
      host: one.host,
      port: one.port,
      user: one.user,
      privateKey: toPath(one.privateKey, "bastions", index, "privateKey"),
      hostKey: one.hostKey,
    })),
  };
}

/** Read from the nodes, since only they tell a secret from a text. */
function secretAt(root: Node, path: Path): { readonly $secret: string } | null {
  const node = nodeAt(root, path);
  return node?.kind === "scalar" && node.secret !== undefined ? { $secret: node.secret } : null;
}
