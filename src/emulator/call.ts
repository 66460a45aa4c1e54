import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authorization, RawRequest } from "./authorization.ts";
import type { World } from "./world.ts";

/** One signed request on its way through a service. */
export type Call = {
  readonly world: World;
  readonly request: RawRequest;
  readonly authorization: Authorization;
  readonly requestId: string;
  /** The body as it comes in; nobody has read of it yet. */
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
};
