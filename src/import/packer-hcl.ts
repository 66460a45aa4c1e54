import type { Diagnostic } from "../diagnostic.ts";
import type { Entry, MapNode, Node, ScalarNode } from "../document/node.ts";
import type { Text } from "../document/text.ts";
import { Problem } from "../problem.ts";
import { lower, pathOf, type Scope } from "./hcl/lower.ts";
import { none, toNode } from "./hcl/lowered.ts";
import { readBody } from "./hcl/read-body.ts";
import type { Body, Expression, Block as HclBlock } from "./hcl/syntax.ts";
import { toHclVariables, typeOf } from "./hcl-variables.ts";
import { Leftovers, toLeftover } from "./leftovers.ts";
import { otherProvisioner, postProcessor } from "./not-carried.ts";
import { type Block, type Builder, letsThrough, overridden, type Template } from "./template.ts";

/** Far more than a template needs; see `Scope`. */
const maxValues = 50_000;

/** Reads a template in HCL2 or in its JSON, of one file or of several. Throws `spec-invalid` with the place of the first mistake. */
export function readHclTemplate(texts: readonly Text[]): Template {
  const bodies = texts.map(readBody);
  const body: Body = {
    attributes: bodies.flatMap(({ attributes }) => attributes),
    blocks: bodies.flatMap(({ blocks }) => blocks),
  };
  const [{ path } = { path: "." }] = texts;
  if (!body.blocks.some(({ type }) => type === "source" || type === "build"))
    throw new Problem("spec-invalid", `"${path}" is no template of Packer`, {
      hint: "a template in HCL2 has source and build blocks",
    });
  return new Reader(body).read(path);
}

class Reader {
  readonly #body: Body;
  readonly #reasons = new Map<ScalarNode, string>();
  readonly #scope: Scope;

  constructor(body: Body) {
    this.#body = body;
    const variables = this.#blocks("variable").map(
      ({ labels: [name = ""], body: inner }) => [name, typeOf(inner) === "string"] as const,
    );
    this.#scope = {
      variables: new Map(variables),
      locals: localsOf(body),
      builder: "",
      budget: { left: maxValues },
    };
  }

  read(path: string): Template {
    const leftovers = new Leftovers();
    const used = this.#blocks("build").flatMap((build) => this.#toBuilders(build));
    const sources = this.#blocks("source").filter(
      ({ labels }) => !used.some(({ type, name }) => type === labels[0] && name === labels[1]),
    );
    return {
      path,
      description: undefined,
      variables: toHclVariables(this.#blocks("variable"), this.#scope, this.#reasons, leftovers),
      // A source that no build names can be a spec all the same.
      builders: [...used, ...sources.map((source) => this.#toBuilder(source, undefined, undefined))],
      leftovers,
      reasons: this.#reasons,
    };
  }

  #blocks(type: string): readonly HclBlock[] {
    return this.#body.blocks.filter((block) => block.type === type);
  }

  /** Sources that are named in a list, and those that a build adds options to. */
  #toBuilders(build: HclBlock): readonly Builder[] {
    const list = build.body.attributes.find(({ name }) => name === "sources")?.value;
    const named = list?.kind === "list" ? list.items.map(referenceOf) : [];
    const own = build.body.blocks.filter(({ type }) => type === "source");
    const references = [
      ...named.map((reference) => [reference, undefined] as const),
      ...own.map((block) => [(block.labels[0] ?? "").replace(/^sources?\./, ""), block] as const),
    ];
    return references.flatMap(([reference, more]) => {
      const source = this.#blocks("source").find(({ labels }) => labels.join(".") === reference);
      return source ? [this.#toBuilder(source, more, build)] : [];
    });
  }

  #toBuilder(source: HclBlock, more: HclBlock | undefined, build: HclBlock | undefined): Builder {
    const [type = "", label = ""] = source.labels;
    const scope = { ...this.#scope, builder: label };
    const own = more && this.#toMap(more, scope);
    const entries = new Map([...this.#toMap(source, scope).entries, ...(own?.entries ?? [])]);
    const name = literalIn(entries.get("name")?.node) ?? label;
    entries.delete("name");
    const names = [`${type}.${name}`, name];
    const ami = [...(more?.body.attributes ?? []), ...source.body.attributes].find(
      (each) => each.name === "source_ami",
    );
    const looked = ami && this.#dataSource(ami.value);
    if (looked) entries.delete("source_ami");
    const inner = build?.body.blocks ?? [];
    return {
      name,
      type,
      place: source.place,
      options: { kind: "map", place: source.place, entries },
      provisioners: inner
        .filter((block) => block.type === "provisioner")
        .flatMap((block) => this.#toBlock(block, names, { ...scope, builder: name })),
      others: inner.flatMap((block) => this.#toOthers(block, names, scope)),
      sourceFilter: looked && this.#toMap(looked, scope),
    };
  }

  #toBlock(block: HclBlock, names: readonly string[], scope: Scope): readonly Block[] {
    const options = this.#toMap(block, scope);
    if (!letsThrough(options, names)) return [];
    return [{ type: block.labels[0] ?? "", place: block.place, options: overridden(options, names) }];
  }

  #toOthers(block: HclBlock, names: readonly string[], scope: Scope): readonly Diagnostic[] {
    const { type, labels, place, body } = block;
    if (type === "post-processors")
      return body.blocks.flatMap((inner) => this.#toOthers(inner, names, scope));
    if (type === "post-processor")
      return letsThrough(this.#toMap(block, scope), names) ? [postProcessor(labels[0] ?? "", place)] : [];
    if (type === "error-cleanup-provisioner") return [otherProvisioner(type, place)];
    return type === "provisioner" || type === "source"
      ? []
      : [toLeftover(place, type, "imgspec has no such thing")];
  }

  /** The block behind `data.amazon-ami.NAME.id`. */
  #dataSource(value: Expression): HclBlock | undefined {
    const [root, type, name, last] = pathOf(value);
    if (root !== "data" || type !== "amazon-ami" || last !== "id") return undefined;
    return this.#blocks("data").find(({ labels }) => labels[0] === type && labels[1] === name);
  }

  /** Attributes and blocks as options; blocks of one kind are a list. */
  #toMap({ place, body }: HclBlock, scope: Scope): MapNode {
    const entries = new Map<string, Entry>();
    for (const { name, place: keyPlace, value } of body.attributes)
      entries.set(name, { keyPlace, node: this.#toNode(value, scope) });
    for (const block of body.blocks) {
      const name = block.type === "dynamic" ? (block.labels[0] ?? "dynamic") : block.type;
      const node =
        block.type === "dynamic"
          ? toNode(none("imgspec has nothing like a dynamic block"), block.place, this.#reasons)
          : this.#toMap(block, scope);
      const before = entries.get(name)?.node;
      const items = before?.kind === "list" ? before.items : before ? [before] : [];
      const all: Node =
        items.length === 0 ? node : { kind: "list", place: block.place, items: [...items, node] };
      entries.set(name, { keyPlace: block.place, node: all });
    }
    return { kind: "map", place, entries };
  }

  /** Items of lists and maps keep their own places. */
  #toNode(value: Expression, scope: Scope): Node {
    if (value.kind === "list")
      return {
        kind: "list",
        place: value.place,
        items: value.items.map((item) => this.#toNode(item, scope)),
      };
    if (value.kind !== "object") return toNode(lower(value, scope), value.place, this.#reasons);
    const entries = value.entries.flatMap(({ key, value: inner }): [string, Entry][] => {
      const name = key.kind === "name" ? key.name : literalIn(this.#toNode(key, scope));
      return name === undefined ? [] : [[name, { keyPlace: key.place, node: this.#toNode(inner, scope) }]];
    });
    return { kind: "map", place: value.place, entries: new Map(entries) };
  }
}

function localsOf(body: Body): ReadonlyMap<string, Expression> {
  const locals = new Map<string, Expression>();
  for (const { type, labels, body: inner } of body.blocks) {
    if (type === "locals") for (const { name, value } of inner.attributes) locals.set(name, value);
    const own = inner.attributes.find(({ name }) => name === "expression");
    if (type === "local" && own) locals.set(labels[0] ?? "", own.value);
  }
  return locals;
}

/** `"source.amazon-instance.web"` or the same without quotes, as `amazon-instance.web`. */
function referenceOf(expression: Expression): string {
  const [only] = expression.kind === "template" ? expression.parts : [];
  const text = typeof only === "string" ? only : pathOf(expression).join(".");
  return text.replace(/^sources?\./, "");
}

function literalIn(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}
