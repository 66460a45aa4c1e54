import { checkAgent, readPrivateKey } from "../machine/log-in.ts";
import type { Hop, MachineAddress } from "../machine/machine.ts";
import { Problem } from "../problem.ts";
import type { StageContext } from "./stage.ts";

type Secret = { readonly $secret: string };

/** How an instance is reached and who we are there, beyond its address; as it stands in the spec, without secrets. */
export type Way = {
  /** The user's own key; null: the run's, or one of the agent. */
  readonly privateKey: string | null;
  readonly agent: boolean;
  /** Lets us in without a key. */
  readonly password: Secret | null;
  readonly sudoPassword: Secret | null;
  readonly proxy: {
    readonly url: string;
    readonly user: string | null;
    readonly password: Secret | null;
  } | null;
  readonly bastions: readonly {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly privateKey: string | null;
    readonly hostKey: string;
  }[];
};

/** What is left open is the shortest. */
export function toWay({ privateKey, agent, password, sudoPassword, proxy, bastions }: Partial<Way>): Way {
  return {
    privateKey: privateKey ?? null,
    agent: agent ?? false,
    password: password ?? null,
    sudoPassword: sudoPassword ?? null,
    proxy: proxy ?? null,
    bastions: bastions ?? [],
  };
}

/** What `connect` needs to know of a way. The passwords are looked up here and go no further than to the connection. */
export function toRoute(
  way: Way,
  context: StageContext,
): Pick<MachineAddress, "agent" | "password" | "proxy" | "bastions"> & {
  readonly sudoPassword: string | null;
} {
  const sudoPassword = way.sudoPassword === null ? "" : context.secret(way.sudoPassword);
  if (/[\n\0]/.test(sudoPassword)) {
    throw new Problem(
      "spec-invalid",
      "connect.sudoPassword is more than one line, which sudo cannot be told",
    );
  }
  const password = way.password === null ? null : context.secret(way.password);
  if (password === "") throw new Problem("spec-invalid", "connect.password is empty");
  const { networkProxy } = context.cloud.options;
  const agent = wantsAgent(way, networkProxy) ? agentPath() : null;
  const told = { agent, password, sudoPassword: sudoPassword === "" ? null : sudoPassword };
  // A cloud that brings a network of its own (`CloudOptions`) has no other way to its instances.
  if (networkProxy !== undefined) return { ...told, proxy: networkProxy, bastions: [] };
  return { ...told, proxy: toProxy(way, context), bastions: way.bastions.map((one) => toHop(one, agent)) };
}

/**
 * What can be told of a way before there is anything at its end: each check throws a Problem when a key, the agent or a
 * password that it takes is not there or of no use.
 */
export function checksOf(way: Way, context: StageContext): readonly (() => Promise<void>)[] {
  const { networkProxy } = context.cloud.options;
  const hops = networkProxy === undefined ? [way, ...way.bastions] : [way];
  const paths = new Set(hops.flatMap(({ privateKey }) => privateKey ?? []));
  return [
    ...[...paths].map((path) => async () => void (await readPrivateKey(path))),
    async () => (wantsAgent(way, networkProxy) ? checkAgent(agentPath()) : undefined),
    async () => void toRoute({ ...way, agent: false, bastions: [] }, context),
  ];
}

function wantsAgent({ agent, bastions }: Way, networkProxy: string | undefined): boolean {
  return agent || (networkProxy === undefined && bastions.some(({ privateKey }) => privateKey === null));
}

function toProxy({ proxy }: Way, context: StageContext): string | null {
  if (proxy === null) return null;
  const url = new URL(proxy.url);
  if (proxy.user === null) return url.href;
  // The setters of URL do nothing for schemes that they do not know, such as socks5.
  const password = proxy.password === null ? "" : context.secret(proxy.password);
  const credentials = [proxy.user, password].map(encodeURIComponent).join(":");
  return `${url.protocol}//${credentials}@${url.host}`;
}

function toHop(bastion: Way["bastions"][number], agent: string | null): Hop {
  const { host, port, user, privateKey, hostKey } = bastion;
  return { host, port, user, privateKeyPath: privateKey, agent, hostKeys: [hostKey] };
}

function agentPath(): string {
  const path = process.env["SSH_AUTH_SOCK"];
  if (path !== undefined && path !== "") return path;
  throw new Problem("connect-failed", "connect wants the SSH agent, and SSH_AUTH_SOCK is not set", {
    hint: 'start one (eval "$(ssh-agent)"; ssh-add), or name a privateKey',
  });
}
