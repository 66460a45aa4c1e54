import { isIPv4 } from "node:net";
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
  if (permission.has("Groups") || permission.has("Ipv6Ranges") || permission.has("PrefixListIds")) {
    throw new AwsFault("UnsupportedOperation", "The emulator knows rules with IPv4 ranges only.");
  }
  const ranges = permission.groups("IpRanges");
  if (ranges.length === 0)
    throw new AwsFault("MissingParameter", "The request must contain the parameter IpRanges");
  return ranges.map((range) =>
    toRule(permission, range.required("CidrIp"), range.text("Description") ?? null),
  );
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
  const block = parseCidr(cidr);
  if (!block) return false;
  const size = 2 ** (32 - block.bits);
  return Math.floor(toNumber(address) / size) === Math.floor(block.base / size);
}

function parseCidr(cidr: string): { readonly base: number; readonly bits: number } | undefined {
  const [address = "", bits = ""] = cidr.split("/");
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  return { base: toNumber(address), bits: Number(bits) };
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
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
      same.map(({ cidr, description }) => ({ cidrIp: cidr, description: description ?? undefined })),
    ),
    ipv6Ranges: null,
    prefixListIds: null,
  }));
}
