import { createContext, Script } from "node:vm";
import { type Environment, EvaluationError } from "@marcbachmann/cel-js";
import { toPattern } from "../util/pattern.ts";
import { isAst } from "./cel-ast.ts";

/** No expression can call it by this name: it stands for `matches` in what was parsed. */
const matches = "matches (RE2)";

const loops = ["all", "exists", "exists_one", "map", "filter"];

const maxMs = 2000;

/** What all loops and patterns of a spec may still take, over all its images. */
export type TimeLeft = { ms: number };

export function newTimeLeft(): TimeLeft {
  return { ms: 10_000 };
}

/** The cause of an error that is about the argument of `matches()`. */
export class PatternFault extends Error {}

/** CEL's regular expressions are RE2's. Those of the library are JavaScript's, of which some take for ever. */
export function addPatterns(environment: Environment): void {
  environment.registerFunction({
    name: matches,
    receiverType: "string",
    params: [{ name: "pattern", type: "string" }],
    returnType: "bool",
    handler: (text: string, source: string) => {
      try {
        return toPattern(source).test(text);
      } catch (cause) {
        const fault = new PatternFault((cause as Error).message, { cause });
        throw new EvaluationError(`not a regular expression: ${fault.message}`, undefined, fault);
      }
    },
  });
}

/**
 * The value of an expression that was checked. Loops within loops may take for ever, so they get some seconds. Throws what
 * CEL does.
 */
export function run(
  cel: string,
  environment: Environment,
  context: Readonly<Record<string, unknown>>,
  left: TimeLeft,
): unknown {
  const evaluate = environment.parse(cel);
  const called = methodsOf(evaluate.ast);
  const isLong = called.some(({ name }) => name === "matches" || loops.includes(name));
  for (const { name, rename } of called) if (name === "matches") rename(matches);
  return isLong ? withinTime(() => evaluate(context), left) : evaluate(context);
}

/** Names as they are written, in what the library says of them. */
export function withWrittenNames(text: string): string {
  return text.replaceAll(matches, "matches");
}

type Method = { readonly name: string; readonly rename: (to: string) => void };

function methodsOf(ast: unknown): Method[] {
  if (Array.isArray(ast)) return ast.flatMap(methodsOf);
  if (!isAst(ast)) return [];
  const { op, args } = ast;
  if (op !== "rcall" || !Array.isArray(args)) return methodsOf(args);
  const rename = (to: string): void => {
    args[0] = to;
  };
  return [{ name: String(args[0]), rename }, ...methodsOf(args)];
}

type Sandbox = { readonly script: Script; readonly world: { work?: () => unknown } };
let made: Sandbox | undefined;

/** Most specs have no loop, and a context takes milliseconds to make. */
function sandbox(): Sandbox {
  made ??= { script: new Script("work()"), world: createContext({}) };
  return made;
}

function withinTime(work: () => unknown, left: TimeLeft): unknown {
  if (left.ms < 1) throw new Error("the loops of the spec take too long together");
  const start = performance.now();
  try {
    const { script, world } = sandbox();
    world.work = work;
    return script.runInContext(world, { timeout: Math.ceil(Math.min(maxMs, left.ms)) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new Error("it takes longer than any spec needs", { cause: error });
  } finally {
    left.ms -= performance.now() - start;
  }
}
