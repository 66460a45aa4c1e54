import { AwsFault } from "../fault.ts";
import type { Params } from "./params.ts";

/** One page of an answer, and the token that asks for the next. */
export type Page<T> = { readonly things: readonly T[]; readonly nextToken: string | undefined };

/** Cuts an answer as MaxResults and NextToken ask; all of it when they do not. `most`: the largest page EC2 gives. */
export function toPage<T>(params: Params, things: readonly T[], most = 1000): Page<T> {
  const asked = params.number("MaxResults");
  if (asked !== undefined && (asked < 5 || asked > most)) {
    throw new AwsFault(
      "InvalidParameterValue",
      `Value ( ${asked} ) for parameter maxResults is invalid. Expecting a value between 5 and ${most}.`,
    );
  }
  const start = fromToken(params.text("NextToken"));
  const end = start + (asked ?? most);
  return {
    things: things.slice(start, end),
    nextToken: end < things.length ? Buffer.from(`from ${end}`).toString("base64url") : undefined,
  };
}

function fromToken(token: string | undefined): number {
  if (token === undefined) return 0;
  const start = /^from (\d+)$/.exec(Buffer.from(token, "base64url").toString("utf8"))?.[1];
  if (start === undefined) throw new AwsFault("InvalidNextToken", "The token is invalid.");
  return Number(start);
}
