import { closest, distance } from "fastest-levenshtein";

/** The known word that was probably meant, or `undefined` when none is close. Case does not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word === "" || word.length > 200) return undefined;
  const lower = word.toLowerCase();
  const best = closest(
    lower,
    known.map((name) => name.toLowerCase()),
  );
  const found = known.find((name) => name.toLowerCase() === best);
  return distance(lower, best) <= Math.max(1, Math.floor(lower.length / 3)) ? found : undefined;
}
