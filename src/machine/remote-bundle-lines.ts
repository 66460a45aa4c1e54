/** What bundle.sh tells of itself; `other` is what the program that makes the image tells. */
export type Said =
  | { readonly type: "image"; readonly sizeBytes: number }
  | Wanted
  | { readonly type: "put"; readonly index: number; readonly sha1: string; readonly sizeBytes: number }
  | Refused
  | { readonly type: "clock"; readonly seconds: number }
  | Bundled
  | { readonly type: "failure"; readonly text: string }
  | { readonly type: "other"; readonly line: string };

/** A part that waits for its URL. */
export type Wanted = {
  readonly type: "want";
  readonly index: number;
  readonly sha1: string;
  readonly sizeBytes: number;
  /** From 1. */
  readonly attempt: number;
};

export type Refused = {
  readonly type: "refused";
  readonly index: number;
  readonly attempt: number;
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number;
  readonly why: string;
};

export type Bundled = {
  readonly type: "bundled";
  readonly tarSha1: string;
  readonly imageSha256: string;
  readonly tarBytes: number;
  readonly partCount: number;
};

const readers: readonly (readonly [RegExp, (...fields: readonly string[]) => Said])[] = [
  [/^imgspec-image: size=(\d{1,15})$/, (size) => ({ type: "image", sizeBytes: Number(size) })],
  [
    /^imgspec-want: (\d{1,6}) ([0-9a-f]{40}) (\d{1,8}) (\d{1,3})$/,
    (index, sha1 = "", size, attempt) => ({
      type: "want",
      index: Number(index),
      sha1,
      sizeBytes: Number(size),
      attempt: Number(attempt),
    }),
  ],
  [
    /^imgspec-put: (\d{1,6}) ([0-9a-f]{40}) (\d{1,8})$/,
    (index, sha1 = "", size) => ({ type: "put", index: Number(index), sha1, sizeBytes: Number(size) }),
  ],
  [
    /^imgspec-refused: (\d{1,6}) (\d{1,3}) (\d{0,3}) ?(.*)$/,
    (index, attempt, status, why = "") => ({
      type: "refused",
      index: Number(index),
      attempt: Number(attempt),
      status: Number(status),
      why: why.trim(),
    }),
  ],
  [/^imgspec-clock: (\d{1,15})$/, (seconds) => ({ type: "clock", seconds: Number(seconds) })],
  [
    /^imgspec-bundled: ([0-9a-f]{40}) ([0-9a-f]{64}) (\d{1,15}) (\d{1,6})$/,
    (tarSha1 = "", imageSha256 = "", tarBytes, partCount) => ({
      type: "bundled",
      tarSha1,
      imageSha256,
      tarBytes: Number(tarBytes),
      partCount: Number(partCount),
    }),
  ],
  [/^imgspec-failure: (.*)$/, (text = "") => ({ type: "failure", text })],
];

/** Reads a line. */
export function readSaid(line: string): Said {
  for (const [pattern, toSaid] of readers) {
    const [whole, ...fields] = pattern.exec(line) ?? [];
    if (whole !== undefined) return toSaid(...fields);
  }
  return { type: "other", line };
}
