import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { type Node, withEntry } from "../document/node.ts";

/** Where local paths stand in an image; `*` is any step. Words that may stand there instead are no paths, nor is a program's name. */
const places: readonly (readonly [pattern: string, words?: readonly string[] | "programs"])[] = [
  ["provision.*.shell.file"],
  ["provision.*.upload.from"],
  ["provision.*.download.to"],
  ["provision.*.local.workdir"],
  ["provision.*.ansible.playbook"],
  ["provision.*.ansible.extraVarsFiles.*"],
  ["provision.*.ansible.workdir"],
  ["provision.*.ansible.command", "programs"],
  ["provision.*.program.command.*"],
  ["verify.tests.*.shell.file"],
  ["connect.privateKey"],
  ["connect.bastions.*.privateKey"],
  ["bundle.fstab", ["keep", "generate"]],
  ["bundle.script"],
  ["certificate.ec2", ["auto", "commercial", "cn-north-1", "gov"]],
  ["certificate.certificate"],
  ["certificate.privateKey"],
];

/** The image with the paths that other files name made relative to the spec: a path is relative to the file that names it. */
export function withRebasedPaths(image: Node, directory: string): Node {
  return places.reduce((node, [pattern, words = []]) => {
    return change(node, pattern.split("."), (path, file) => {
      const from = dirname(resolve(file));
      if (pattern.includes("program.command."))
        return isPathWord(path) ? toPathWord(path, from, directory) : path;
      if (from === directory || path === "" || isAbsolute(path) || isWord(path, words)) return path;
      return relative(directory, join(from, path)) || ".";
    });
  }, image);
}

function isWord(path: string, words: readonly string[] | "programs"): boolean {
  return words === "programs" ? !path.includes("/") : words.includes(path);
}

/** Whether a word of a command is a path that is relative to the file that names it. */
export function isPathWord(word: string): boolean {
  return word.startsWith("./") || word.startsWith("../");
}

/** The path relative to another folder. It must be known as a path after that, too. */
export function toPathWord(path: string, from: string, directory: string): string {
  if (from === directory) return path;
  const word = relative(directory, join(from, path));
  return isPathWord(word) ? word : `./${word}`;
}

type Rebase = (path: string, file: string) => string;

function change(node: Node, [step, ...rest]: readonly string[], rebase: Rebase): Node {
  if (step === undefined) {
    if (node.kind !== "scalar" || typeof node.value !== "string" || node.broken) return node;
    const value = rebase(node.value, node.place.path);
    return value === node.value ? node : { ...node, value };
  }
  if (node.kind === "list" && step === "*") {
    const items = node.items.map((item) => change(item, rest, rebase));
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
  }
  const entry = node.kind === "map" ? node.entries.get(step) : undefined;
  if (node.kind !== "map" || !entry) return node;
  const inner = change(entry.node, rest, rebase);
  return inner === entry.node ? node : withEntry(node, step, { ...entry, node: inner });
}
