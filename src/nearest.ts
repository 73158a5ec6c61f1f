// "did you mean": the nearest of the names there are, when it is near enough to be a mistake in typing and not a guess.
// The one rule for settings, flags, commands, event types and fields.

import { distance } from 'fastest-levenshtein';

/** Longer names are cut: the search is quadratic in their length. */
const lengthMax = 64;
const mistakesMax = 4;

/** userId, user-id and USER_ID are the same word. */
const wordOf = (name: string): string =>
  name
    .slice(0, lengthMax)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** One mistake in three letters may be one of typing, two in six, and so on; letters in another order count half. */
export function nearest(typed: string, names: Iterable<string>): string | undefined {
  const word = wordOf(typed);
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const candidate = wordOf(name);
    const length = Math.max(word.length, candidate.length);
    const bearable = Math.min(mistakesMax, Math.floor(length / 3));
    if (Math.abs(word.length - candidate.length) > bearable) continue;
    const edits = distance(word, candidate);
    const mistakes = edits > bearable && lettersOf(word) === lettersOf(candidate) ? edits / 2 : edits;
    if (mistakes > bearable || mistakes >= fewest) continue;
    best = name;
    fewest = mistakes;
  }
  return fewest === 0 && word === '' ? undefined : best;
}

const lettersOf = (word: string): string => [...word].sort().join('');

/** `; did you mean x?`, or nothing. */
export function hintOf(typed: string, names: Iterable<string>): string {
  const near = nearest(typed, names);
  return near === undefined ? '' : `; did you mean ${near}?`;
}
