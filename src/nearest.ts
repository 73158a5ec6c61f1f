// "did you mean": the nearest of the names there are, when it is near enough to be a mistake in typing and not a guess.
// The one rule for settings, flags, commands, event types and fields. Whoever sends nonsense a thousand times a second
// asks here a thousand times: most names are told apart by their length and letters alone.

import { distance } from 'fastest-levenshtein';

/** Longer names are cut: the search is quadratic in their length. */
const lengthMax = 64;
const mistakesMax = 4;

export type Nearest = (typed: string) => string | undefined;

interface Word {
  readonly name: string;
  readonly word: string;
  readonly letters: number;
}

/** One mistake in three letters may be one of typing, two in six, and so on; letters in another order count half. */
export function nearestOf(names: Iterable<string>): Nearest {
  const candidates = Array.from(names, wordOf);
  return typed => {
    const { word, letters } = wordOf(typed);
    let best: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const length = Math.max(word.length, candidate.word.length);
      const bearable = Math.min(mistakesMax, Math.floor(length / 3));
      if (Math.abs(word.length - candidate.word.length) > bearable) continue;
      // A mistake changes two letters at most: one goes, another comes.
      if (countBits(letters ^ candidate.letters) > 2 * bearable) continue;
      const mistakes = mistakesBetween(word, candidate, bearable);
      if (mistakes > bearable || mistakes >= fewest) continue;
      best = candidate.name;
      fewest = mistakes;
    }
    return word === '' ? undefined : best;
  };
}

function mistakesBetween(word: string, candidate: Word, bearable: number): number {
  if (word === candidate.word) return 0;
  const edits = distance(word, candidate.word);
  return edits > bearable && sorted(word) === sorted(candidate.word) ? edits / 2 : edits;
}

const sorted = (word: string): string => [...word].sort().join('');

/** userId, user-id and USER_ID are the same word. `letters`: a bit for each letter it has, one for all digits. */
function wordOf(name: string): Word {
  let word = '';
  let letters = 0;
  for (let at = 0; at < name.length && at < lengthMax; at++) {
    const code = name.charCodeAt(at);
    const lower = code >= 65 && code <= 90 ? code + 32 : code;
    const isLetter = lower >= 97 && lower <= 122;
    if (!isLetter && !(lower >= 48 && lower <= 57)) continue;
    word += String.fromCharCode(lower);
    letters |= 1 << (isLetter ? lower - 97 : 26);
  }
  return { name, word, letters };
}

/** Of 32 (Warren, Hacker's Delight §5-1). */
function countBits(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (((fours + (fours >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** `; did you mean x?`, or nothing. */
export function hintOf(typed: string, names: Iterable<string>): string {
  const near = nearestOf(names)(typed);
  return near === undefined ? '' : `; did you mean ${near}?`;
}
