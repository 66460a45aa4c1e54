import type { Json } from "../util/json.ts";
import type { Happening } from "./event.ts";
import { toSecretForms } from "./secret-forms.ts";

const stars = "***";

/** Knows every value that must not be seen, and blots it out of text. */
export class Mask {
  readonly #forms = new Set<string>();

  constructor(values: Iterable<string>) {
    for (const value of values) this.add(value);
  }

  /** From now on this value is masked, also quoted, escaped, URL-encoded or in base64. */
  add(value: string): void {
    for (const form of toSecretForms(value)) this.#forms.add(form);
  }

  /** The text with each secret replaced by stars; secrets that overlap become one blot. */
  text(text: string): string {
    const blots = this.#blots(text);
    if (blots.length === 0) return text;
    let masked = "";
    let from = 0;
    for (const { start, end } of blots) {
      masked += text.slice(from, start) + stars;
      from = end;
    }
    return masked + text.slice(from);
  }

  /** The same value with every text in it masked; keys are names of ours and hold no secrets. */
  json(value: Json): Json {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item: Json) => this.json(item));
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.json(inner as Json)]));
  }

  /** What people read in an event is masked; ids, codes and types, which scripts compare, hold no secrets. */
  event(event: Happening): Happening {
    if (this.#forms.size === 0) return event;
    switch (event.type) {
      case "task.log":
        return { ...event, line: this.text(event.line) };
      case "task.succeeded":
        return { ...event, summary: event.summary === null ? null : this.text(event.summary) };
      case "task.failed":
        return {
          ...event,
          message: this.text(event.message),
          hint: event.hint === null ? null : this.text(event.hint),
          causes: event.causes.map((cause) => this.text(cause)),
          tail: event.tail.map((line) => this.text(line)),
        };
      case "resource.changed":
        return {
          ...event,
          name: this.text(event.name),
          ...(event.reason === undefined ? {} : { reason: this.text(event.reason) }),
          ...(event.byHand === undefined ? {} : { byHand: this.text(event.byHand) }),
        };
      case "run.started":
        return { ...event, tasks: event.tasks.map((task) => ({ ...task, title: this.text(task.title) })) };
      case "run.cleaning":
      case "run.finished":
      case "task.started":
      case "task.progress":
      case "task.canceled":
      case "task.skipped":
        return event;
      default:
        return event satisfies never;
    }
  }

  #blots(text: string): readonly Blot[] {
    const found: Blot[] = [];
    for (const form of this.#forms) {
      for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
        found.push({ start, end: start + form.length });
      }
    }
    const merged: Blot[] = [];
    for (const blot of found.sort((a, b) => a.start - b.start)) {
      const last = merged.at(-1);
      // Touching ones too: two secrets in a row must not show where one ends.
      if (last && blot.start <= last.end) last.end = Math.max(last.end, blot.end);
      else merged.push({ ...blot });
    }
    return merged;
  }
}

type Blot = { start: number; end: number };
