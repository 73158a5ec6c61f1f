// "did you mean": the nearest of the names there are, when it is near enough to be a mistake in typing and not a guess.
// The one rule for settings, flags, commands, event types and fields. A client that sends nonsense a thousand times a
// second asks here a thousand times: most names are told apart by their length and letters alone.

import { distance } from 'fastest-levenshtein';

/** Longer names are cut: the search is quadratic in their length. */
const lengthMax = 64;
const mistakesMax = 4;
/** Names whose answer is remembered, and all forgotten when there are more: who sends a wrong name sends it again. */
const rememberedMax = 256;

export type Nearest = (typed: string) => string | undefined;

/** One mistake in three letters may be one of typing, two in six, and so on; letters in another order count half. */
export function nearestOf(names: Iterable<string>): Nearest {
  const candidates = Array.from(names, name => ({ name, word: wordOf(name), shape: shapeOf(name) }));
  const remembered = new Map<string, string | undefined>();
  return typed => {
    if (typed.length > lengthMax) return search(typed);
    const before = remembered.get(typed);
    if (before !== undefined || remembered.has(typed)) return before;
    if (remembered.size >= rememberedMax) remembered.clear();
    const found = search(typed);
    remembered.set(typed, found);
    return found;
  };

  function search(typed: string): string | undefined {
    const shape = shapeOf(typed);
    let word: string | undefined;
    let best: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const bearable = Math.min(mistakesMax, Math.floor(Math.max(shape.length, candidate.shape.length) / 3));
      if (!canBeWithin(bearable, shape, candidate.shape)) continue;
      word ??= wordOf(typed);
      const mistakes = mistakesBetween(word, candidate.word, shape.letters === candidate.shape.letters);
      if (mistakes > bearable || mistakes >= fewest) continue;
      best = candidate.name;
      fewest = mistakes;
    }
    return shape.length === 0 ? undefined : best;
  }
}

/** What tells most words apart at a glance. */
interface Shape {
  readonly length: number;
  /** A bit for each letter it has, one for all digits. */
  readonly letters: number;
}

/** A mistake takes one letter away and brings one in, at most. */
const canBeWithin = (mistakes: number, a: Shape, b: Shape): boolean =>
  Math.abs(a.length - b.length) <= mistakes &&
  countBits(a.letters & ~b.letters) <= mistakes &&
  countBits(b.letters & ~a.letters) <= mistakes;

function mistakesBetween(word: string, other: string, haveSameLetters: boolean): number {
  if (word === other) return 0;
  const edits = distance(word, other);
  const isReordered = haveSameLetters && word.length === other.length && sorted(word) === sorted(other);
  return isReordered ? edits / 2 : edits;
}

const sorted = (word: string): string => [...word].sort().join('');

/** userId, user-id and USER_ID are the same word. */
const wordOf = (name: string): string =>
  name
    .slice(0, lengthMax)
    .replace(/[^A-Za-z0-9]+/g, '')
    .toLowerCase();

/** Of the word, without making it. */
function shapeOf(name: string): Shape {
  let letters = 0;
  let length = 0;
  for (let at = 0; at < name.length && at < lengthMax; at++) {
    const code = name.charCodeAt(at);
    const lower = code >= 65 && code <= 90 ? code + 32 : code;
    const isLetter = lower >= 97 && lower <= 122;
    if (!isLetter && !(lower >= 48 && lower <= 57)) continue;
    letters |= 1 << (isLetter ? lower - 97 : 26);
    length++;
  }
  return { length, letters };
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
