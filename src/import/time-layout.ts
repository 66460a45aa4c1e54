/** What the verbs of strftime are in a layout of Go's time package (https://pkg.go.dev/time#pkg-constants). */
const goVerbs: Readonly<Record<string, string>> = {
  "2006": "%Y",
  "01": "%m",
  "02": "%d",
  "15": "%H",
  "04": "%M",
  "05": "%S",
  // Everything is in UTC, which these then say.
  Z07: "Z",
  "Z07:00": "Z",
  Z0700: "Z",
  UTC: "UTC",
};

/** Anything in a Go layout that stands for a part of a time, the longest first. */
const goParts =
  /2006|Z07:00|Z0700|Z07|-07:00|-0700|January|Monday|Jan|Mon|MST|UTC|PM|pm|(?<=05)\.(?:0+|9+)(?!\d)|01|02|03|04|05|06|15|_2|1|2|3|4|5/g;

/** Go's `2006-01-02` as `%Y-%m-%d`, or `undefined` where a part has no such verb. */
export function fromGoLayout(layout: string): string | undefined {
  return translate(layout, goParts, goVerbs);
}

/** The verbs of `formatdate` in HCL2. */
const hclVerbs: Readonly<Record<string, string>> = {
  YYYY: "%Y",
  MM: "%m",
  DD: "%d",
  hh: "%H",
  mm: "%M",
  ss: "%S",
  Z: "Z",
};

/** A layout of HCL's `formatdate`, such as `YYYYMMDD'T'hhmm`, as `%Y%m%dT%H%M`. */
export function fromHclLayout(layout: string): string | undefined {
  return translate(layout, /'(?:[^']|'')*'|([A-Za-z])\1*/g, hclVerbs);
}

function translate(
  layout: string,
  parts: RegExp,
  verbs: Readonly<Record<string, string>>,
): string | undefined {
  let known = true;
  const text = layout.replaceAll("%", "%%").replaceAll(parts, (part) => {
    if (part.startsWith("'")) return part.slice(1, -1).replaceAll("''", "'");
    const verb = verbs[part];
    known &&= verb !== undefined;
    return verb ?? part;
  });
  return known ? text : undefined;
}

/** When the build began, in UTC, by a pattern of strftime. */
export function toTimeCel(pattern: string): string {
  return `build.now.format('${pattern.replaceAll("'", "\\'")}')`;
}

/** As Go prints a time in RFC 3339. */
export const rfc3339 = "%Y-%m-%dT%H:%M:%SZ";
