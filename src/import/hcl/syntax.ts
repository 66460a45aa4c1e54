import type { Place } from "../../diagnostic.ts";

/** What stands in a pair of braces, or in a file. */
export type Body = { readonly attributes: readonly Attribute[]; readonly blocks: readonly Block[] };

export type Attribute = { readonly name: string; readonly place: Place; readonly value: Expression };

/** `type "label" "label" { … }`; `place` is that of its head. */
export type Block = {
  readonly type: string;
  readonly labels: readonly string[];
  readonly place: Place;
  readonly body: Body;
};

export type Expression =
  | { readonly kind: "literal"; readonly place: Place; readonly value: null | boolean | number }
  | { readonly kind: "template"; readonly place: Place; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: "list"; readonly place: Place; readonly items: readonly Expression[] }
  | { readonly kind: "object"; readonly place: Place; readonly entries: readonly ObjectEntry[] }
  | { readonly kind: "name"; readonly place: Place; readonly name: string }
  | { readonly kind: "member"; readonly place: Place; readonly of: Expression; readonly name: string }
  | { readonly kind: "index"; readonly place: Place; readonly of: Expression; readonly key: Expression }
  | {
      readonly kind: "call";
      readonly place: Place;
      readonly name: string;
      readonly given: readonly Expression[];
    }
  | {
      readonly kind: "operation";
      readonly place: Place;
      readonly sign: string;
      readonly of: readonly Expression[];
    }
  /** Syntax that is understood but has no like in a spec: `for`, splats and directives. */
  | { readonly kind: "other"; readonly place: Place; readonly what: string };

export type ObjectEntry = { readonly key: Expression; readonly value: Expression };
