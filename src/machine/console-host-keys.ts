const keyLine =
  /\b((?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9-]+@openssh\.com) AAAA[\w+/]+={0,2})(?: [^\r\n]*)?$/;

/**
 * The host keys in the console output of an instance, as public key lines without comments. Cloud-init prints them
 * between `-----BEGIN SSH HOST KEY KEYS-----` and the matching end (cloud-init's `cc_keys_to_console`), older images
 * with `ec2: ` or syslog's words before each line. The last block counts: the console keeps the output of earlier boots.
 */
export function toHostKeys(consoleOutput: string): string[] {
  const blocks = consoleOutput.split(/-{5}BEGIN SSH HOST KEY KEYS-{5}/).slice(1);
  // The console is cut at 64 KiB and read while it is written: a block without its end may lack keys.
  const block = blocks.findLast((text) => /-{5}END SSH HOST KEY KEYS-{5}/.test(text));
  if (block === undefined) return [];
  const lines = block.slice(0, block.search(/-{5}END SSH HOST KEY KEYS-{5}/)).split(/[\r\n]+/);
  return [...new Set(lines.flatMap((line) => keyLine.exec(line.trimEnd())?.[1] ?? []))];
}
