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
  // Two letters swapped count as two, and are the most common mistake there is.
  const allowed = lower.length < 4 ? 1 : Math.max(2, Math.floor(lower.length / 3));
  return distance(lower, best) <= allowed ? found : undefined;
}
