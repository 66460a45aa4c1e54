/** What a file system says of one of its files, by name. */
export type Entry = Readonly<Record<string, string>>;
export type Tree = ReadonlyMap<string, Entry>;

type Entries = Map<string, Record<string, string>>;

/** Reads what `proof/list-tree.sh` wrote. Names are bytes, each kept as one character. */
export function toTree(listing: Buffer): Tree {
  const fields = listing.toString("latin1").split("\0");
  const section = (mark: string, end: string): readonly string[] =>
    fields.slice(fields.indexOf(mark) + 1, fields.indexOf(end));
  const entries: Entries = new Map();
  addFiles(entries, pairs(section("@files", "@sums")));
  for (const sum of section("@sums", "@devices")) note(entries, sum.slice(34), "content", sum.slice(0, 32));
  for (const [path, device] of pairs(section("@devices", "@attributes")))
    note(entries, path, "device", device);
  addAttributes(entries, fields.at(-1) ?? "");
  return entries;
}

/** One line for each difference. */
export function differences(before: Tree, after: Tree): readonly string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, made] = [before.get(path), after.get(path)];
    if (!old || !made) return `${path}: ${old ? "lost" : "new"}`;
    return Object.keys({ ...old, ...made })
      .filter((name) => old[name] !== made[name])
      .map((name) => `${path}: ${name} was ${old[name]}, is ${made[name]}`);
  });
}

function addFiles(entries: Entries, files: readonly (readonly [string, string])[]): void {
  const inodes = new Map<string, string[]>();
  for (const [path, text] of files) {
    const [type = "", mode = "", owner = "", size = "", modified = "", inode = "", blocks = "", ...link] =
      text.split(" ");
    inodes.set(inode, [...(inodes.get(inode) ?? []), path]);
    const isSparse = Number(blocks) * 1024 < Number(size) / 2;
    entries.set(path, {
      type,
      mode,
      owner,
      ...(type === "f" ? { size, isSparse: String(isSparse) } : {}),
      // A link's own time is of no use to anybody; the others are kept to the second.
      ...(type === "l" ? { link: link.join(" ") } : { modified: modified.replace(/\..*/, "") }),
    });
  }
  for (const paths of inodes.values()) {
    const names = paths.length > 1 ? paths.sort().join(" ") : "";
    for (const path of paths) note(entries, path, "names", names);
  }
}

function addAttributes(entries: Entries, text: string): void {
  for (const block of text.split("\n\n")) {
    const [head = "", ...attributes] = block.split("\n");
    const path = /^# file: (.*)$/.exec(head)?.[1];
    // It drops the `./`.
    if (path !== undefined)
      note(entries, `./${unescaped(path)}`, "attributes", attributes.sort().join(" ").trim());
  }
}

function note(entries: Entries, path: string, name: string, value: string): void {
  const entry = entries.get(path);
  if (entry) entry[name] = value;
}

/** getfattr writes some bytes of a name as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function pairs(fields: readonly string[]): readonly (readonly [string, string])[] {
  return fields.flatMap((field, index) =>
    index % 2 === 0 ? [[field, fields[index + 1] ?? ""] as const] : [],
  );
}
