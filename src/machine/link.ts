import type { Client } from "ssh2";

/** An open SSH connection and how to know that it is gone. */
export type Link = {
  readonly client: Client;
  /** `user@host:port`, for messages. */
  readonly name: string;
  /** Aborts, with a Problem, when the connection is lost or closed. */
  readonly lost: AbortSignal;
  /** What sudo is told when it asks; null: it must not ask. */
  readonly sudoPassword: string | null;
};
