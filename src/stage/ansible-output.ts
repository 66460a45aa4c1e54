import { toOneLine } from "../util/one-line.ts";

const longestReason = 300;

/** Follows what ansible-playbook prints (its default output) to know at which task it failed, and whether it did anything. */
export class PlayReader {
  #task = "";
  #fatal: string | undefined;
  #plays = 0;
  #missed = 0;

  /** The last task that failed and why, such as `the task "Install nginx": No package matching`. */
  get failure(): string | undefined {
    return this.#fatal;
  }

  /** There were plays, and none was for a host of the inventory. */
  get missedHost(): boolean {
    return this.#plays > 0 && this.#missed === this.#plays;
  }

  read(line: string): void {
    const [, kind, name] = /^(TASK|RUNNING HANDLER) \[(.*)\] \*+$/.exec(line) ?? [];
    if (name !== undefined) this.#task = `the ${kind === "TASK" ? "task" : "handler"} "${name}"`;
    // What is ignored says so on the line after it.
    if (line === "...ignoring") this.#fatal = undefined;
    if (/^PLAY \[.*\] \*+$/.test(line)) this.#plays += 1;
    if (line === "skipping: no hosts matched") this.#missed += 1;
    const [, said] = /^fatal: \[.*?\](?: -> \S+)?: (.*)$/.exec(line) ?? [];
    if (said !== undefined) this.#fatal = `${this.#task || "its start"}: ${toReason(said)}`;
  }
}

/** `FAILED! => {…}` holds what its module says under `msg`. */
function toReason(said: string): string {
  const [, verdict = "", json = ""] = /^(\S+) => (.*)$/.exec(said) ?? [];
  const text = messageOf(json) ?? said;
  const reason = toOneLine(verdict === "UNREACHABLE!" ? `unreachable: ${text}` : text);
  return reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason;
}

function messageOf(json: string): string | undefined {
  try {
    const { msg, stderr } = JSON.parse(json) as { readonly msg?: unknown; readonly stderr?: unknown };
    const words = [msg, stderr].filter((word) => typeof word === "string" && word.trim() !== "");
    return words.length > 0 ? words.join("; ") : undefined;
  } catch {
    return undefined;
  }
}
