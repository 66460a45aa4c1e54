import { resolve } from "node:path";
import { type Node, nodeAt, type Path } from "../document/node.ts";
import type { WrittenImage } from "./image.gen.ts";
import { toSeconds } from "./quantity.ts";
import type { ImageSpec } from "./spec.ts";

type Where = { readonly directory: string; readonly node: Node };
type Connect = ImageSpec["connect"];

/** How to log in: paths absolute, passwords by the names of their secrets. */
export function toConnect(written: WrittenImage["connect"], { directory, node }: Where): Connect {
  const { user, port, address, hostKey, agent, proxy, bastions } = written;
  const toPath = (path: string | null): string | null => (path === null ? null : resolve(directory, path));
  return {
    user,
    port,
    address,
    hostKey,
    timeoutSeconds: toSeconds(written.timeout),
    privateKey: toPath(written.privateKey),
    agent,
    password: secretAt(node, ["connect", "password"]),
    sudoPassword: secretAt(node, ["connect", "sudoPassword"]),
    proxy:
      proxy === null
        ? null
        : { url: proxy.url, user: proxy.user, password: secretAt(node, ["connect", "proxy", "password"]) },
    bastions: bastions.map((one) => ({
      host: one.host,
      port: one.port,
      user: one.user,
      privateKey: toPath(one.privateKey),
      hostKey: one.hostKey,
    })),
  };
}

/** Read from the nodes, since only they tell a secret from a text. */
function secretAt(root: Node, path: Path): { readonly $secret: string } | null {
  const node = nodeAt(root, path);
  return node?.kind === "scalar" && node.secret !== undefined ? { $secret: node.secret.name } : null;
}
