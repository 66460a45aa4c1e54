import { finished } from "node:stream/promises";
import type { ServerChannel, Session } from "ssh2";
import type { Ended, Execution, ExecutionRequest, Terminal } from "./execution.ts";

type Context = {
  readonly user: string;
  readonly execute: (request: ExecutionRequest) => Promise<Execution>;
};

/** The signals that the protocol can name (RFC 4254, section 6.10). */
const namedSignals = "ABRT ALRM FPE HUP ILL INT KILL PIPE QUIT SEGV TERM USR1 USR2".split(" ");

/** Carries out one session: what it sets beforehand, then the one command that it may run. */
export function serveSession(session: Session, { user, execute }: Context): void {
  const environment: [string, string][] = [];
  let terminal: Terminal | null = null;
  let running: Promise<Execution> | undefined;

  const tellRunning = (tell: (execution: Execution) => Promise<void>): void => {
    // Where it could not start the client hears so from its channel, and there is nothing to tell.
    running?.then(tell).catch(() => undefined);
  };

  session.on("env", (accept, reject, { key, val }) => {
    if (/^[A-Za-z_]\w*$/.test(key)) environment.push([key, val]);
    answer(/^[A-Za-z_]\w*$/.test(key) ? accept : reject);
  });
  session.on("pty", (accept, _reject, info) => {
    const { term } = info as unknown as { readonly term?: string };
    const { rows, cols, modes } = info;
    terminal = { name: term || "xterm", rows: rows || 24, columns: cols || 80, modes };
    answer(accept);
  });
  session.on("window-change", (accept, _reject, { rows, cols }) => {
    tellRunning((execution) => execution.resize(rows, cols));
    answer(accept);
  });
  session.on("signal", (accept, reject, { name }) => {
    const known = /^[A-Z][A-Z0-9]*$/.test(name);
    if (known) tellRunning((execution) => execution.signal(name));
    answer(known ? accept : reject);
  });

  const start = (channel: ServerChannel, command: string | null, subsystem: "sftp" | null = null): void => {
    let closed = false;
    channel
      .on("error", () => undefined)
      .once("close", () => {
        closed = true;
      });
    running = execute({ user, command, subsystem, environment, terminal });
    void running.then(
      (execution) => carry(execution, channel, closed),
      () => {
        channel.exit(255);
        channel.end();
      },
    );
  };
  session.on("exec", (accept, _reject, { command }) => start(accept(), command));
  session.on("shell", (accept) => start(accept(), null));
  session.on("subsystem", (accept, reject, { name }) => {
    // A client that wants no answer is given none.
    if (name !== "sftp") return (reject as (() => void) | undefined)?.();
    start(accept(), null, name);
  });
}

/** Joins a channel to a command until both have ended. */
async function carry(execution: Execution, channel: ServerChannel, closed: boolean): Promise<void> {
  const { stdin, stdout, stderr, ended } = execution;
  let over = false;
  const abandon = (): void => {
    // Nobody is left to read it or to wait for it. What it left running on its own stays, as with sshd.
    if (!over) execution.abandon();
    stdout.destroy();
    stderr.destroy();
    stdin.destroy();
  };
  if (closed) abandon();
  else channel.on("close", abandon);
  channel.pipe(stdin);
  // A command need not read all of its input; the rest is taken and dropped, so that the channel can close.
  stdin.on("close", () => channel.resume());
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  const drained = Promise.allSettled([stdout, stderr].map((output) => finished(output, { writable: false })));
  const end = await ended;
  over = true;
  tell(channel, end);
  await drained;
  channel.end();
}

function tell(channel: ServerChannel, { code, signal }: Ended): void {
  const name = signal?.slice("SIG".length) ?? "";
  if (namedSignals.includes(name)) channel.exit(name, false, "");
  else channel.exit(code ?? 255);
}

/** A client may ask for no answer, and then there is nothing to call. */
function answer(reply: (() => void) | undefined): void {
  reply?.();
}
