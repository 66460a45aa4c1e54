/** A value for a curl configuration file: between double quotes, where only a backslash means something (curl(1), -K). */
export function quoteForCurl(value: string): string {
  if (/[\r\n]/.test(value)) throw new TypeError("a value of a curl configuration has one line");
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
