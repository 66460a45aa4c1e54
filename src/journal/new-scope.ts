import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../aws/cloud.ts";
import type { Json } from "../util/json.ts";
import { groupOf } from "../util/task-id.ts";
import { type Journal, unreleased } from "./journal.ts";
import { type ReleaseSignals, release } from "./release.ts";
import type { AnyResource, Resource, ResourceContext } from "./resource.ts";
import type { Leftover, ResourceChange } from "./resource-change.ts";
import type { Scope } from "./scope.ts";

export type ScopeOptions = {
  readonly cloud: Cloud;
  readonly journal: Journal;
  /** Stops the cleaning: what is left then is told as leaked. */
  readonly abandon: AbortSignal;
  /** How long one release may take. An instance that will not stop can take EC2 ten minutes. */
  readonly releaseDeadlineMs?: number;
  onChange(change: ResourceChange): void;
  log(task: string, line: string): void;
};

/** A release that takes longer is told as leaked. */
const defaultReleaseDeadlineMs = 15 * 60_000;

/** A held resource, with the types of its kind forgotten. */
type Held = {
  readonly id: number;
  readonly task: string;
  readonly resource: AnyResource;
  readonly record: Json;
};

/**
 * Holds what a run acquired and gives it back in reverse, groups of tasks beside each other. Disposing never throws:
 * what would not go is in `leaked`.
 */
export class RunScope implements AsyncDisposable {
  readonly #options: ScopeOptions;
  readonly #leaked: Leftover[] = [];
  #held: readonly Held[] = [];
  #nextId: number;

  /** Creating calls that are under way: what they make must not be lost. */
  readonly #pending = new Set<Promise<unknown>>();

  constructor(options: ScopeOptions) {
    this.#options = options;
    const ids = options.journal.entries.map((entry) => (entry.type === "acquired" ? entry.id : 0));
    this.#nextId = Math.max(0, ...ids) + 1;
  }

  /**
   * Waits for creating calls whose answer is still on the way, at most so long: a run that is being abandoned must
   * still be able to name what it made.
   */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    await Promise.race([Promise.allSettled(this.#pending), sleep(timeoutMs, undefined, { ref: false })]);
  }

  /** What would not go, so far. */
  get leaked(): readonly Leftover[] {
    return this.#leaked;
  }

  /** How many things are held now. */
  get count(): number {
    return this.#held.length;
  }

  holdsAny(isMeant: (task: string) => boolean): boolean {
    return this.#held.some(({ task }) => isMeant(task));
  }

  /** The scope as one task sees it: what it acquires is noted as its own, and its signal ends its waiting. */
  forTask(task: string, signal: AbortSignal): Scope {
    return {
      acquire: (resource, input) => this.#acquire(task, resource, input, signal),
      releaseOf: (tasks) => this.#releaseEarly(tasks, { ...this.#signals(), task: signal }),
      keepOf: (tasks) => this.#keep(tasks),
    };
  }

  /** Takes over what the journal of an earlier process calls unreleased. */
  takeOver(resources: ReadonlyMap<string, AnyResource>): void {
    for (const { id, task, kind, record } of unreleased(this.#options.journal.entries)) {
      const resource = resources.get(kind) ?? unknownResource(kind);
      this.#held = [...this.#held, { id, task, resource, record }];
    }
  }

  /**
   * Lets go of what these tasks acquired without giving it back, tells so, and answers with what it was. It stays
   * unreleased in the journal, so that a later `clean` finds it.
   */
  leave(isLeft: (task: string) => boolean): readonly Leftover[] {
    const left = this.#held.filter(({ task }) => isLeft(task));
    this.#held = this.#held.filter((held) => !left.includes(held));
    return left.map((held) => {
      const leftover = toLeftover(held, null, this.#options.cloud);
      const { kind, name, task, byHand } = leftover;
      this.#options.onChange({ change: "left", kind, name, task, byHand });
      return leftover;
    });
  }

  /** Gives back, before the end, what a group of tasks holds. What does not go is told, and tried again at the end. */
  async releaseGroup(group: string): Promise<void> {
    const tasks = this.#held.flatMap(({ task }) => (groupOf(task) === group ? task : []));
    await this.#releaseEarly(tasks, this.#signals());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const groups = new Map<string, Held[]>();
    for (const held of this.#held) {
      const group = groupOf(held.task);
      groups.set(group, [...(groups.get(group) ?? []), held]);
    }
    await Promise.all([...groups.values()].map((chain) => this.#releaseChain(chain)));
  }

  async #acquire<I, R extends Json>(
    task: string,
    resource: Resource<I, R>,
    input: I,
    signal: AbortSignal,
  ): Promise<R> {
    signal.throwIfAborted();
    const { cloud } = this.#options;
    const log = (line: string) => this.#options.log(task, line);
    const acquiring = this.#finish(task, resource, input, { cloud, signal, log });
    this.#pending.add(acquiring);
    try {
      return await acquiring;
    } finally {
      this.#pending.delete(acquiring);
    }
  }

  async #finish<I, R extends Json>(
    task: string,
    resource: Resource<I, R>,
    input: I,
    context: ResourceContext,
  ): Promise<R> {
    const { journal } = this.#options;
    const record = await resource.acquire(input, context);
    const id = this.#nextId;
    this.#nextId += 1;
    // Held before it is journalled: when the journal fails, this process still gives it back. The cast forgets the
    // types of the kind, which `record` and `resource` share.
    const held: Held = { id, task, resource: resource as unknown as AnyResource, record };
    this.#held = [...this.#held, held];
    await journal.append({ type: "acquired", id, task, kind: resource.kind, record });
    this.#options.onChange({ change: "acquired", kind: resource.kind, name: describe(held), task });
    return record;
  }

  async #keep(tasks: readonly string[]): Promise<void> {
    const product = this.#held.filter(({ task, resource }) => tasks.includes(task) && !resource.isScratch);
    for (const held of product) {
      const { kind } = held.resource;
      await this.#options.journal.append({ type: "kept", id: held.id, kind });
      this.#held = this.#held.filter((other) => other !== held);
      this.#options.onChange({ change: "kept", kind, name: describe(held), task: held.task });
    }
  }

  async #releaseEarly(tasks: readonly string[], signals: ReleaseSignals): Promise<void> {
    const chain = this.#held.filter(({ task }) => tasks.includes(task)).reverse();
    for (const held of chain) {
      // What is scratch is gone in no time, and should be so also when its task was told to stop.
      const own = held.resource.isScratch === true ? this.#signals() : signals;
      const reason = await this.#release(held, own);
      if (reason === null) continue;
      this.#options.log(
        held.task,
        `${describe(held)} would not go, and is tried again at the end: ${reason}`,
      );
    }
  }

  async #releaseChain(chain: readonly Held[]): Promise<void> {
    for (const held of [...chain].reverse()) {
      const reason = await this.#release(held, this.#signals());
      if (reason === null) continue;
      const leftover = toLeftover(held, reason, this.#options.cloud);
      this.#leaked.push(leftover);
      this.#options.onChange({ change: "leaked", ...leftover, reason });
    }
  }

  /** Answers with the reason when it would not go. */
  async #release(held: Held, signals: ReleaseSignals): Promise<string | null> {
    const { cloud, journal } = this.#options;
    const log = (line: string) => this.#options.log(held.task, line);
    const reason = await release(held.resource, held.record, { cloud, log, ...signals });
    if (reason !== null) return reason;
    this.#held = this.#held.filter((other) => other !== held);
    const { kind } = held.resource;
    // The thing is gone. An entry that cannot be written costs a later `clean` one needless call, no more.
    await journal.append({ type: "released", id: held.id, kind }).catch(() => undefined);
    this.#options.onChange({ change: "released", kind, name: describe(held), task: held.task });
    return null;
  }

  #signals(): ReleaseSignals {
    const { abandon, releaseDeadlineMs = defaultReleaseDeadlineMs } = this.#options;
    return { abandon, deadlineMs: releaseDeadlineMs };
  }
}

function toLeftover(held: Held, reason: string | null, cloud: Cloud): Leftover {
  const { resource, task } = held;
  return { kind: resource.kind, name: describe(held), task, reason, byHand: toByHand(held, cloud) };
}

function describe({ resource, record }: Held): string {
  // A record from a journal belongs to the kind that wrote it.
  return resource.describe(record as never);
}

/** The command must go where the run went, or it would look for the thing in AWS itself. */
function toByHand({ resource, record }: Held, { options }: Cloud): string {
  const command = resource.byHand(record as never);
  if (options.endpointUrl === undefined) return command;
  return command.replaceAll(/(^|&& )aws /g, `$1aws --endpoint-url ${options.endpointUrl} `);
}

/** Stands in for a kind that another version of imgspec knows. */
function unknownResource(kind: string): AnyResource {
  const resource: Resource<Json, Json> = {
    kind,
    acquire: () => Promise.reject(new Error(`nothing is known of ${kind}`)),
    release: () => Promise.reject(new Error(`this imgspec does not know how to release ${kind}`)),
    describe: (record) => `${kind} ${JSON.stringify(record)}`,
    byHand: () => "use the imgspec that made this run",
  };
  return resource as unknown as AnyResource;
}
