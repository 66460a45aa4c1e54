import { Problem } from "../problem.ts";
import type { CommandResult } from "./machine.ts";

/** Something that others should not get with an image: what was found, where, and what was done with it. */
export type HygieneFinding = {
  readonly class: string;
  readonly path: string;
  readonly action: "scrubbed" | "refused" | "kept";
};

/** As many paths of a class of findings as a message can bear. */
const mostPaths = 10;

const actions = { scrub: "scrubbed", refuse: "refused", keep: "kept" } as const;

/** Hears what the program that makes the image tells on stderr. */
export class ImageListener {
  readonly #log: (line: string) => void;
  readonly #onSize: () => void;
  readonly #findings: HygieneFinding[] = [];
  #sizeBytes: number | undefined;
  #table: string | undefined;

  constructor(log: (line: string) => void, onSize: () => void) {
    this.#log = log;
    this.#onSize = onSize;
  }

  get sizeBytes(): number | undefined {
    return this.#sizeBytes;
  }

  /** The partition table that the image has: none, gpt or mbr. */
  get table(): string | undefined {
    return this.#table;
  }

  get findings(): readonly HygieneFinding[] {
    return this.#findings;
  }

  hear(line: string): void {
    const size = /^imgspec-image: size=(\d+)$/.exec(line)?.[1];
    const table = /^imgspec-table: (\w+)$/.exec(line)?.[1];
    const finding = toFinding(line);
    if (size !== undefined) {
      this.#sizeBytes = Number(size);
      this.#onSize();
    } else if (table !== undefined) {
      this.#table = table;
    } else if (finding) {
      this.#findings.push(finding);
      if (finding.action !== "refused") this.#log(toSentence(finding));
    } else if (!/^imgspec-(?:missing|problem|no-room|hint): /.test(line)) {
      this.#log(line.replace(/^imgspec-(?:phase|note): /, ""));
    }
  }
}

/** What went wrong, as the program told it. */
export function toImageProblem(
  { code, signal, stderr }: Omit<CommandResult, "stdout">,
  findings: readonly HygieneFinding[],
): Problem {
  const lines = stderr.trim().split("\n");
  const told = (what: string): readonly string[] =>
    lines
      .filter((line) => line.startsWith(`imgspec-${what}: `))
      .map((line) => line.slice(`imgspec-${what}: `.length));
  const [missing, problems, crowded] = [told("missing"), told("problem"), told("no-room")];
  const hints = new Set(told("hint"));
  const said = lines.filter((line) => !line.startsWith("imgspec-")).slice(-10);
  if (missing.length > 0)
    hints.add(
      "take a source AMI that has it, or install it by launch.userData; where a provision step does, set bundle.needs: warn",
    );
  if (crowded.length > 0) {
    hints.add(
      "raise bundle.size, leave more out with bundle.exclude, or take an instance type with more storage",
    );
  }
  if (said.some((line) => line.startsWith("sudo:"))) {
    hints.add("connect.user must be root or may use sudo (with a password: connect.sudoPassword)");
  }
  const reasons = [
    ...(missing.length === 0
      ? []
      : [`the machine lacks ${missing.join(", ")}, which it takes to make an image of its root`]),
    ...crowded.map((why) => `there is no room for the image of the root: ${why}`),
    ...problems.map((why) => `the image of the root could not be made: ${why}`),
  ];
  if (reasons.length === 0) {
    const how = code === null ? `was ended by SIG${signal ?? "KILL"}` : `exited with ${code}`;
    reasons.push(`the image of the root could not be made: the program that makes it ${how}`);
  }
  const details = [...toList(findings), ...said].filter((line) => line !== "");
  const hint = [...hints].join("; ");
  return new Problem("bundle-invalid", [...reasons, ...details].join("\n  "), {
    hint: hint === "" ? undefined : hint,
  });
}

function toFinding(line: string): HygieneFinding | undefined {
  const [, action, name, path] = /^imgspec-hygiene: (scrub|refuse|keep) (\w+) (.+)$/.exec(line) ?? [];
  if (action === undefined || name === undefined || path === undefined) return undefined;
  // The pattern lets no other word through.
  return { class: name, path, action: actions[action as keyof typeof actions] };
}

function toSentence({ class: name, path, action }: HygieneFinding): string {
  return action === "scrubbed"
    ? `left out of the image (${name}): ${path}`
    : `in the image (${name}): ${path}`;
}

function toList(findings: readonly HygieneFinding[]): readonly string[] {
  const refused = findings.filter(({ action }) => action === "refused");
  const names = [...new Set(refused.map((finding) => finding.class))];
  return names.flatMap((name) => {
    const paths = refused.filter((finding) => finding.class === name).map(({ path }) => path);
    const more = paths.length > mostPaths ? [`${name}: and ${paths.length - mostPaths} more`] : [];
    return [...paths.slice(0, mostPaths).map((path) => `${name}: ${path}`), ...more];
  });
}
