import type { Call } from "../call.ts";
import { AwsFault } from "../fault.ts";
import type { XmlValue } from "../xml.ts";
import type { Params } from "./params.ts";
import type { RegionState } from "./state.ts";

/** A signed EC2 call whose caller is allowed to make it. */
export type Ec2Call = Call & { readonly params: Params; readonly region: RegionState };

/** Carries an action out; the result becomes the children of `<ACTIONResponse>`. */
export type Ec2Action = (call: Ec2Call) => Promise<Ec2Answer> | Ec2Answer;

export type Ec2Answer = { readonly [name: string]: XmlValue };

/** Every action that changes something calls this when all is checked and nothing is changed yet. */
export function proceed({ params }: Ec2Call): void {
  if (params.flag("DryRun")) {
    throw new AwsFault("DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
  }
}

/** What EC2 answers to a call that has nothing to tell. */
export const done: Ec2Answer = { return: true };
