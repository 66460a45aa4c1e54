/** Whether a variable of this name most likely holds a secret, and not the path of one. */
export function isSecretName(name: string): boolean {
  return /(?:secret|passw(?:or)?d|passphrase|token|credentials?|(?:secret|access|private|api)[_-]?key)(?:[_-]?id)?$/i.test(
    name,
  );
}
