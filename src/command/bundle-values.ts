import { InvalidArgumentError } from "commander";
import type { Mapping } from "../bundle/manifest.ts";

/** `-B v=d,v=d`, repeatable: virtual names and the devices that they become. */
export function toMappings(value: string, before: readonly Mapping[] = []): readonly Mapping[] {
  const added = value.split(",").map(toMapping);
  const all = [...before, ...added];
  const twice = all.find(({ virtual }, at) => all.findIndex((other) => other.virtual === virtual) !== at);
  if (twice) throw new InvalidArgumentError(`${twice.virtual} is mapped twice`);
  return all;
}

function toMapping(pair: string): Mapping {
  const [, virtual = "", device = ""] = /^\s*([^=\s]+)=(\S+)\s*$/.exec(pair) ?? [];
  if (virtual !== "") return { virtual, device };
  throw new InvalidArgumentError("write it as virtual=device, such as ami=sda1,root=/dev/sda1");
}

/** `A,B`: each code by itself. Amazon's tool wrote them as one. */
export function toCodes(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(",").map((code) => code.trim())].filter((code) => code !== "");
}

export function toLevel(value: string): number {
  if (/^[1-9]$/.test(value)) return Number(value);
  throw new InvalidArgumentError("a level is 1 to 9");
}
