import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Problem } from "../problem.ts";
import type { Json } from "../util/json.ts";
import { type ChildExit, endOf, ownEnvironment } from "./child.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import { perform, type Request, toRefusal, toRequest, type WorkPlace } from "./program-requests.ts";
import { type EnvironmentInput, retrying, toValues } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

export type ProgramInput = {
  readonly on: LaunchedInstance;
  readonly command: readonly string[];
  /** SHA-256 of each file among the words, when the plan was made: a changed program is a changed task. */
  readonly contents: readonly string[];
  readonly told: { readonly options: { readonly [name: string]: Json } };
  readonly secrets: EnvironmentInput;
  /** Absolute; where the program runs. */
  readonly directory: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  /** Where the step stands in the spec: `provision[2]`. */
  readonly label: string;
};

/** Of docs/programs.md. It changes when a program that speaks the old one would fail. */
const protocolVersion = 1;

/** More on one line is no request; it bounds what a program can make us hold. */
const longestLine = 1024 * 1024;

/** A program of the user's on the builder that provisions the instance by requests (docs/programs.md). */
export const program: Stage<ProgramInput, LaunchedInstance> = {
  kind: "provision.program",
  title: "Run a program here",
  exitCode: 5,
  run: async (input, context) => {
    await retrying(input, context, () => attempt(input, context));
    return input.on;
  },
};

async function attempt(input: ProgramInput, context: StageContext): Promise<void> {
  const { command, label, directory, timeoutSeconds } = input;
  const [file = "", ...words] = command;
  const name = `the program ${file} (${label})`;
  context.signal.throwIfAborted();
  await using held = hold(input.on, context);
  const late = new Problem("command-timeout", `${name} took longer than ${timeoutSeconds} s`);
  using deadline = toDeadline(late, timeoutSeconds);
  const wrong = new AbortController();
  const signal = AbortSignal.any([context.signal, deadline.signal, wrong.signal]);
  // A process group of its own, so that what it started ends with it.
  const child = spawn(file, words, {
    cwd: directory,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: ownEnvironment(),
  });
  // Who ends without having read everything has said with its exit code what there is to say.
  child.stdin.on("error", () => undefined);
  createInterface({ input: child.stderr }).on("line", (line) => context.log(line));
  const place: WorkPlace = { held, signal, directory, timeoutSeconds, onLine: (line) => context.log(line) };
  const say = (message: Json): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  // Declared after the connection, so that what is still done over it is ended before it is closed.
  await using conversation = new Conversation(name, place, context, say, (error) => wrong.abort(error));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => conversation.hear(chunk));
  say(toHello(input, context));
  const exit = await endOf(child, (cause) => cannotStart(name, cause), signal);
  conversation.end();
  wrong.signal.throwIfAborted();
  const problem = problemOf(name, exit, conversation.unanswered);
  if (problem === undefined) return;
  wrong.abort(problem);
  throw problem;
}

function cannotStart(name: string, cause: Error): Problem {
  return new Problem("command-failed", `${name} cannot be started`, {
    hint: "it must be executable, or found on the PATH; a path begins with ./",
    cause,
  });
}

/** What there is to say of a program that has ended by itself; `open` is a request without an answer. */
function problemOf(name: string, exit: ChildExit, open: number | undefined): Problem | undefined {
  const { code, name: endedBy } = exit;
  if (code !== 0) {
    const how = code === null ? `was ended by ${endedBy}` : `exited with ${code}`;
    return new Problem("command-failed", `${name} ${how}`, { hint: "its last lines may say why" });
  }
  if (open === undefined) return undefined;
  return new Problem("command-failed", `${name} ended before its request ${open} was answered`, {
    hint: "a program waits for the answers to what it asks",
  });
}

/** The first line on the program's stdin, the only way by which it learns secrets. */
function toHello(input: ProgramInput, context: StageContext): Json {
  const { on, told, secrets } = input;
  return {
    type: "hello",
    protocol: protocolVersion,
    options: told.options,
    secrets: toValues(secrets, context),
    instance: { id: on.instanceId, type: on.instanceType, host: on.host, port: on.port, user: on.user },
    region: on.account.region,
    profile: on.account.profile ?? null,
    run: context.run.id,
  };
}

/** What a program asks for, one after the other, and what it is answered. */
class Conversation implements AsyncDisposable {
  readonly #name: string;
  readonly #place: WorkPlace;
  readonly #context: StageContext;
  readonly #say: (message: Json) => void;
  readonly #fail: (error: unknown) => void;
  readonly #open = new Set<number>();
  #rest = "";
  #last: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(
    name: string,
    place: WorkPlace,
    context: StageContext,
    say: (message: Json) => void,
    fail: (error: unknown) => void,
  ) {
    this.#name = name;
    this.#place = place;
    this.#context = context;
    this.#say = say;
    this.#fail = fail;
  }

  /** The oldest request that has no answer. */
  get unanswered(): number | undefined {
    return [...this.#open][0];
  }

  hear(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line);
    if (this.#rest.length > longestLine) this.#refuse(this.#rest, "it is longer than 1 MiB");
  }

  /** The program is gone: what it wrote last may lack its line end. */
  end(): void {
    if (this.#rest.trim() !== "") this.#take(this.#rest);
    this.#rest = "";
  }

  /** Settles when nothing is done any more; what is at work ends with the signal of its place. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }

  #take(line: string): void {
    if (this.#isOver || line.trim() === "") return;
    const request = toRequest(line);
    if (typeof request === "string") this.#refuse(line, request);
    else if (request.request === "log") this.#context.log(request.line);
    else if (request.request === "hide") this.#context.hide(request.value);
    else if (this.#open.has(request.id)) this.#refuse(line, `request ${request.id} is not answered yet`);
    else this.#queue(request);
  }

  #queue(request: Extract<Request, { id: number }>): void {
    this.#open.add(request.id);
    this.#last = this.#last.then(() => this.#answer(request)).catch(this.#fail);
  }

  async #answer(request: Extract<Request, { id: number }>): Promise<void> {
    const { id } = request;
    if (this.#place.signal.aborted) return;
    const answer = await perform(request, this.#place).then(
      (result) => ({ type: "reply", id, result }),
      (error: unknown) => {
        this.#place.signal.throwIfAborted();
        return { type: "reply", id, error: toRefusal(error) };
      },
    );
    this.#open.delete(id);
    this.#say(answer);
  }

  #refuse(line: string, why: string): void {
    this.#isOver = true;
    this.#rest = "";
    // Masked before it is cut: the beginning of a secret would not be known as one.
    const masked = this.#context.masked(line);
    const shown = masked.length > 200 ? `${masked.slice(0, 200)}…` : masked;
    const hint = "its stdout is for requests only (docs/programs.md); what people should read goes to stderr";
    this.#fail(
      new Problem("command-failed", `${this.#name} wrote a line that is no request: ${why}: ${shown}`, {
        hint,
      }),
    );
  }
}
