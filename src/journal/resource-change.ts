/** What became of something that costs money. `name` is one line for people. */
export type ResourceChange = {
  /** `kept`: it is a product; `left`: not given back because the user said so; `leaked`: it would not go. */
  readonly change: "acquired" | "released" | "kept" | "left" | "leaked";
  readonly kind: string;
  readonly name: string;
  /** The task that acquired it. */
  readonly task: string;
  /** Only with `leaked`: why. */
  readonly reason?: string;
  /** With `leaked` and `left`: the command that removes it. */
  readonly byHand?: string;
};

/** Something that still exists after the run. */
export type Leftover = {
  readonly kind: string;
  readonly name: string;
  readonly task: string;
  /** Null: it was meant to stay. */
  readonly reason: string | null;
  readonly byHand: string;
};
