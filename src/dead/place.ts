// The place of a dead letter as people name it, and what can be told of one.

import type { FoundLetter, LetterPlace } from '../ports/letters.ts';
import { isoOf } from '../process/clock.ts';

/** Null: it is no place of a letter. */
export function placeOf(text: string): LetterPlace | null {
  const match = /^(.+)\/(\d{1,10})\/(\d{1,16})(?:\+(\d{1,9}))?(?:@([\w-]{1,64}))?$/.exec(text);
  if (!match) return null;
  const [, topic, partition, position, index = '0', log = ''] = match;
  return { topic: topic!, partition: Number(partition), position: Number(position), index: Number(index), log };
}

/** topic/partition/position, +index where the position is a whole batch's, and @log where it is known which. */
export const placeText = ({ topic, partition, position, index, log }: LetterPlace): string =>
  `${topic}/${partition}/${position}${index === 0 ? '' : `+${index}`}${log === '' ? '' : `@${log}`}`;

/** What became of it; null while it is open. */
export function fateOf({ replayedAtMs, dismissedAtMs, dismissedWhy }: FoundLetter): string | null {
  if (replayedAtMs !== null) return `a row since ${isoOf(replayedAtMs)}`;
  if (dismissedAtMs === null) return null;
  return `dismissed ${isoOf(dismissedAtMs)}${dismissedWhy === '' ? '' : `: ${dismissedWhy}`}`;
}
