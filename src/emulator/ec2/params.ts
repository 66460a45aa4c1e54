import { AwsFault } from "../fault.ts";

/** The parameters of a Query API call: `Filter.1.Value.2=x` and its like. */
export class Params {
  readonly #values: ReadonlyMap<string, string>;
  readonly #prefix: string;

  constructor(values: ReadonlyMap<string, string>, prefix = "") {
    this.#values = values;
    this.#prefix = prefix;
  }

  static parse(form: string): Params {
    return new Params(new Map(new URLSearchParams(form)));
  }

  text(name: string): string | undefined {
    return this.#values.get(this.#prefix + name);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value) return value;
    throw new AwsFault("MissingParameter", `The request must contain the parameter ${this.#prefix}${name}`);
  }

  flag(name: string): boolean {
    const value = this.text(name) ?? "false";
    if (value === "true" || value === "false") return value === "true";
    throw new AwsFault("InvalidParameterValue", `Value (${value}) for parameter ${name} is invalid.`);
  }

  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (/^-?\d+$/.test(value)) return Number(value);
    throw new AwsFault("InvalidParameterValue", `Value (${value}) for parameter ${name} is invalid.`);
  }

  /** `NAME.1`, `NAME.2`, … */
  list(name: string): readonly string[] {
    return this.#indices(name).flatMap((index) => this.text(`${name}.${index}`) ?? []);
  }

  /** The structures `NAME.1.*`, `NAME.2.*`, … */
  groups(name: string): readonly Params[] {
    return this.#indices(name).map((index) => new Params(this.#values, `${this.#prefix}${name}.${index}.`));
  }

  /** The structure `NAME.*`. */
  group(name: string): Params {
    return new Params(this.#values, `${this.#prefix}${name}.`);
  }

  has(name: string): boolean {
    const path = this.#prefix + name;
    return [...this.#values.keys()].some((key) => key === path || key.startsWith(`${path}.`));
  }

  /** All parameters in one text, the same for the same call: what a client token is compared by. */
  toText(except: readonly string[]): string {
    return JSON.stringify([...this.#values].filter(([name]) => !except.includes(name)).sort());
  }

  #indices(name: string): readonly number[] {
    const path = `${this.#prefix}${name}.`;
    const found = new Set<number>();
    for (const key of this.#values.keys()) {
      if (!key.startsWith(path)) continue;
      const index = Number.parseInt(key.slice(path.length), 10);
      if (index > 0) found.add(index);
    }
    return [...found].sort((a, b) => a - b);
  }
}
