// Dead letters that somebody names and that stay as they are whatever is done with the rest: those that are not there, and
// those of which something has become already.

import type { FoundLetter, LetterPlace, LetterSelection, Letters } from '../ports/letters.ts';
import { fateOf, placeText } from './place.ts';

export interface Unchanged {
  readonly place: LetterPlace;
  readonly isThere: boolean;
  readonly is: string;
}

/** Those named by their place that will stay as they are, and why; `undo`: when what was dismissed is opened again. Rejects with the sink's errors. */
export async function unchanged(letters: Letters, filter: LetterSelection, undo: boolean): Promise<Unchanged[]> {
  const { places = [] } = filter;
  if (places.length === 0) return [];
  const found = new Map<string, FoundLetter>();
  for (const letter of await letters.find({ places, state: 'any', limit: places.length }))
    found.set(placeText(letter), letter);
  const meant = new Set<string>();
  for (const letter of await letters.find({ ...filter, state: undo ? 'dismissed' : 'open', limit: places.length }))
    meant.add(placeText(letter));
  return places
    .filter(place => !meant.has(placeText(place)))
    .map(place => {
      const letter = found.get(placeText(place));
      if (letter === undefined) return { place, isThere: false, is: 'no dead letter' };
      return { place, isThere: true, is: fateOf(letter) ?? (undo ? 'open' : 'not of that topic, reason or time') };
    });
}
