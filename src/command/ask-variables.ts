import type { Missing } from "../spec/variables.ts";
import { ask } from "./ask.ts";
import { askHidden } from "./ask-hidden.ts";
import { listen } from "./interrupt.ts";

/** Asks whoever sits at the terminal for the variables that nobody has given; an empty answer gives none. */
export async function askVariables(missing: readonly Missing[]): Promise<Readonly<Record<string, string>>> {
  if (missing.length === 0) return {};
  using interrupt = listen();
  const answers: [string, string][] = [];
  for (const { name, description, choices, sensitive } of missing) {
    const about = [description, choices && `one of ${choices.join(", ")}`].filter(Boolean).join("; ");
    const question = `${name}${about === "" ? "" : ` (${about})`}: `;
    const answer = sensitive ? await askHidden(question, interrupt.signal) : await ask(question, interrupt);
    if (answer) answers.push([name, answer]);
  }
  return Object.fromEntries(answers);
}
