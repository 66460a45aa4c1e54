import type { Happening, RunEvent } from "./event.ts";
import type { Mask } from "./mask.ts";

/** More often than this nobody can read it. */
const progressEveryMs = 100;
/** Enough to see why a script failed. */
const tailLength = 20;

/** The one place where a run speaks: stamps, masks, and shields the run from listeners that throw. */
export class Voice {
  readonly #onEvent: (event: RunEvent) => void;
  readonly #mask: Mask;

  constructor(onEvent: (event: RunEvent) => void, mask: Mask) {
    this.#onEvent = onEvent;
    this.#mask = mask;
  }

  tell(happening: Happening): void {
    try {
      this.#onEvent({ at: Date.now(), ...this.#mask.event(happening) });
    } catch {
      // A broken screen must not end a build, least of all while it gives things back.
    }
  }
}

/** What one task says while it runs. */
export class TaskVoice {
  readonly #voice: Voice;
  readonly #task: string;
  readonly #tail: string[] = [];
  #told = 0;
  #untold: Happening | undefined;

  constructor(voice: Voice, task: string) {
    this.#voice = voice;
    this.#task = task;
  }

  /** The last lines that were logged. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  log(text: string): void {
    for (const line of text.split(/\r?\n/)) {
      this.#tail.push(line);
      if (this.#tail.length > tailLength) this.#tail.shift();
      this.#voice.tell({ type: "task.log", task: this.#task, line });
    }
  }

  progress(doneBytes: number, totalBytes: number | undefined): void {
    this.#untold = { type: "task.progress", task: this.#task, doneBytes, totalBytes: totalBytes ?? null };
    const now = performance.now();
    if (now - this.#told < progressEveryMs && doneBytes !== totalBytes) return;
    this.#told = now;
    this.flush();
  }

  /** Tells the last progress if it was held back. */
  flush(): void {
    if (this.#untold) this.#voice.tell(this.#untold);
    this.#untold = undefined;
  }
}
