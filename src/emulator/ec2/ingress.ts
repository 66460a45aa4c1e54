import { BlockList, isIP } from "node:net";
import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import type { Params } from "./params.ts";
import type { IngressRule } from "./records.ts";
import { newId } from "./state.ts";

/** The rules of an authorize call, in either of its two forms: `IpPermissions.N` or the fields themselves. */
export function readRules(params: Params): readonly IngressRule[] {
  const permissions = params.groups("IpPermissions");
  if (permissions.length > 0) return permissions.flatMap(readPermission);
  const range = params.required("CidrIp");
  return [toRule(params, range, null)];
}

function readPermission(permission: Params): readonly IngressRule[] {
  if (permission.has("Groups") || permission.has("PrefixListIds")) {
    throw new AwsFault("UnsupportedOperation", "The emulator knows rules with address ranges only.");
  }
  const rulesOf = (list: string, key: string): readonly IngressRule[] =>
    permission
      .groups(list)
      .map((range) => toRule(permission, range.required(key), range.text("Description") ?? null));
  const rules = [...rulesOf("IpRanges", "CidrIp"), ...rulesOf("Ipv6Ranges", "CidrIpv6")];
  if (rules.length === 0)
    throw new AwsFault("MissingParameter", "The request must contain the parameter IpRanges");
  return rules;
}

function toRule(params: Params, cidr: string, description: string | null): IngressRule {
  const protocol = params.required("IpProtocol").toLowerCase();
  if (!["tcp", "udp", "icmp", "-1"].includes(protocol)) {
    throw new AwsFault(
      "InvalidPermission.Malformed",
      `Unsupported IP protocol "${protocol}"  - supported: [tcp, udp, icmp]`,
    );
  }
  if (parseCidr(cidr) === undefined) {
    throw new AwsFault("InvalidParameterValue", `CIDR block ${cidr} is malformed`);
  }
  const fromPort = params.number("FromPort") ?? -1;
  const toPort = params.number("ToPort") ?? -1;
  const hasPorts = protocol === "tcp" || protocol === "udp";
  if (hasPorts && (fromPort < 0 || toPort > 65_535 || fromPort > toPort)) {
    throw new AwsFault("InvalidParameterValue", `Invalid value '${fromPort}-${toPort}' for portRange.`);
  }
  return { id: newId("sgr"), protocol, fromPort, toPort, cidr, description };
}

/** Whether these rules let a TCP connection from this address to this port in. */
export function allows(rules: readonly IngressRule[], address: string, port: number): boolean {
  return rules.some(({ protocol, fromPort, toPort, cidr }) => {
    const isPort = protocol === "-1" || (protocol === "tcp" && fromPort <= port && port <= toPort);
    return isPort && isInside(address, cidr);
  });
}

function isInside(address: string, cidr: string): boolean {
  return parseCidr(cidr)?.check(address, isIP(address) === 6 ? "ipv6" : "ipv4") ?? false;
}

function parseCidr(cidr: string): BlockList | undefined {
  const [address = "", bits = ""] = cidr.split("/");
  const family = isIP(address);
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return undefined;
  const block = new BlockList();
  block.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return block;
}

/** Whether a rule is for IPv6. */
export function isV6({ cidr }: IngressRule): boolean {
  return cidr.includes(":");
}

/** Rules of the same protocol and ports are one permission, as EC2 shows them. */
export function toPermissions(rules: readonly IngressRule[]): readonly XmlValue[] {
  const grouped = new Map<string, IngressRule[]>();
  for (const rule of rules) {
    const key = `${rule.protocol} ${rule.fromPort} ${rule.toPort}`;
    grouped.set(key, [...(grouped.get(key) ?? []), rule]);
  }
  return [...grouped.values()].map((same) => ({
    ipProtocol: same[0]?.protocol,
    fromPort: same[0]?.protocol === "-1" ? undefined : same[0]?.fromPort,
    toPort: same[0]?.protocol === "-1" ? undefined : same[0]?.toPort,
    groups: null,
    ipRanges: toItems(
      same
        .filter((rule) => !isV6(rule))
        .map(({ cidr, description }) => ({ cidrIp: cidr, description: description ?? undefined })),
    ),
    ipv6Ranges: toItems(
      same
        .filter(isV6)
        .map(({ cidr, description }) => ({ cidrIpv6: cidr, description: description ?? undefined })),
    ),
    prefixListIds: null,
  }));
}
