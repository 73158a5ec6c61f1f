// The place of a dead letter as people name it, and what can be told of one.

import type { FoundLetter, LetterPlace } from '../adapters/clickhouse/letters.ts';
import { PipelineError } from '../errors.ts';

/** Throws `config_invalid`, in words. */
export function readPlace(text: string): LetterPlace {
  const match = /^(.+)\/(\d{1,10})\/(\d{1,16})(?:\+(\d{1,9}))?$/.exec(text);
  if (!match) throw wrong(`${text} is no place of a letter, which is topic/partition/position`);
  const [, topic, partition, position, index = '0'] = match;
  return { topic: topic!, partition: Number(partition), position: Number(position), index: Number(index) };
}

/** topic/partition/position, and +index where the position is a whole batch's. */
export const placeText = ({ topic, partition, position, index }: LetterPlace): string =>
  `${topic}/${partition}/${position}${index === 0 ? '' : `+${index}`}`;

/** What became of it; null while it is open. */
export function fateOf({ replayedAtMs, dismissedAtMs, dismissedWhy }: FoundLetter): string | null {
  if (replayedAtMs !== null) return `a row since ${isoOf(replayedAtMs)}`;
  if (dismissedAtMs === null) return null;
  return `dismissed ${isoOf(dismissedAtMs)}${dismissedWhy === '' ? '' : `: ${dismissedWhy}`}`;
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

export const wrong = (what: string): PipelineError => new PipelineError('config_invalid', `${what}; see ugc help dead`);
