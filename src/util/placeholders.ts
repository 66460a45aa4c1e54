/** The words that stand in braces in bundle.amiTools.bundleCommand. */
export const bundlePlaceholders = [
  "arguments",
  "certificate",
  "privateKey",
  "ec2Certificate",
  "account",
  "architecture",
  "destination",
  "name",
  "exclude",
] as const;

/** The words that stand in braces in bundle.amiTools.uploadCommand. */
export const uploadPlaceholders = [
  "arguments",
  "bucket",
  "manifest",
  "directory",
  "region",
  "acl",
  "accessKey",
  "secretKey",
  "token",
] as const;

/** A brace after a dollar sign is the shell's own. */
const placeholder = /(?<!\$)\{([A-Za-z][A-Za-z0-9]*)\}/g;

/** The words in braces, each as often as it is there. */
export function placeholdersOf(template: string): readonly string[] {
  return [...template.matchAll(placeholder)].map(([, word = ""]) => word);
}

/** Puts something else in the place of each word in braces. */
export function fillPlaceholders(template: string, toText: (word: string) => string): string {
  return template.replaceAll(placeholder, (_, word: string) => toText(word));
}
