import type { TaskState } from "./view.ts";

export type Icon = { readonly text: string; readonly color: "dim" | "yellow" | "green" | "red" | "cyan" };

const spinner = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];

/** How a task, or a group by its tasks, stands. */
export function iconOf(states: readonly TaskState[]): Icon {
  const isGroup = states.length > 1;
  if (states.includes("running")) {
    return isGroup ? { text: "❯", color: "yellow" } : { text: spinnerFrame(Date.now()), color: "cyan" };
  }
  if (states.includes("failed")) return { text: "✖", color: "red" };
  if (states.includes("canceled")) return { text: "■", color: "yellow" };
  if (states.includes("waiting"))
    return isGroup && states.includes("succeeded")
      ? { text: "❯", color: "yellow" }
      : { text: "◼", color: "dim" };
  if (states.includes("skipped")) return { text: "↓", color: "yellow" };
  return { text: "✔", color: "green" };
}

function spinnerFrame(now: number): string {
  return spinner[Math.floor(now / 100) % spinner.length] ?? "";
}
