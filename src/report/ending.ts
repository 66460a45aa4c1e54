import colors from "picocolors";
import type { Leftover } from "../journal/resource-change.ts";
import type { Failure } from "../run/result.ts";
import { toDuration, toSafeLine, toSize } from "./format.ts";
import type { ImageResult, Result } from "./result.ts";

/** The last lines of a run: the images, then what went wrong, then what still exists. */
export function toEnding(result: Result, color: boolean): readonly string[] {
  const paint = colors.createColors(color);
  const images = result.images.filter(({ imageId }) => imageId !== null);
  const done =
    result.leftBehind.length === 0 ? paint.green("done") : paint.yellow("done, with things left behind");
  const words = { succeeded: done, failed: paint.red("failed"), interrupted: paint.yellow("stopped") };
  return [
    "",
    ...images.flatMap((image) => toImage(image, paint)),
    ...(images.length > 0 ? [""] : []),
    ...toTrouble(result, color),
    `${result.name}: ${words[result.outcome]} in ${toDuration(result.ms)}`,
  ];
}

/** Only what a person has to know or do: failures with cause and hint, and what still exists. */
export function toTrouble(result: Result, color: boolean): readonly string[] {
  const paint = colors.createColors(color);
  const { failures, leftBehind, run } = result;
  const lines = failures.flatMap((failure) => [...toFailureBlock(failure, paint), ""]);
  if (leftBehind.length === 0) return lines;
  return [
    ...lines,
    paint.bold("Still there:"),
    ...leftBehind.flatMap((leftover) => toLeftover(leftover, paint)),
    `  all of it: ${paint.cyan(`imgspec clean ${run}`)}`,
    "",
  ];
}

type Paint = ReturnType<typeof colors.createColors>;

function toImage({ region, imageId, name, bundle, upload }: ImageResult, paint: Paint): readonly string[] {
  const size = bundle?.bundledSizeBytes ?? null;
  return [
    `${paint.bold(region)}  ${paint.green(imageId ?? "")}${name === null ? "" : `  ${name}`}`,
    ...(upload?.location ? [`  s3://${upload.location}${size === null ? "" : `  ${toSize(size)}`}`] : []),
  ];
}

function toFailureBlock(
  { task, code, message, hint, causes, tail, stack }: Failure,
  paint: Paint,
): readonly string[] {
  return [
    `${paint.red(paint.bold(`${task} failed`))}  ${paint.dim(code)}`,
    ...indented(message),
    ...causes.flatMap((cause) => indented(`cause: ${cause}`)),
    ...(hint === null ? [] : indented(`hint: ${hint}`).map(paint.cyan)),
    ...(stack === null
      ? []
      : ["  this is a bug of imgspec, please report it with these lines:", ...indented(stack, 4)]),
    ...(tail.length === 0 ? [] : [`  its last ${tail.length === 1 ? "line" : `${tail.length} lines`}:`]),
    ...tail.map((line) => paint.dim(`    ${toSafeLine(line)}`)),
  ];
}

function toLeftover({ name, reason, byHand }: Leftover, paint: Paint): readonly string[] {
  const why = reason === null ? "kept, as you wished" : reason;
  return [`  ${name}  ${paint.dim(`(${why})`)}`, `    by hand: ${byHand}`];
}

function indented(text: string, columns = 2): readonly string[] {
  return text.split("\n").map((line) => " ".repeat(columns) + toSafeLine(line));
}
