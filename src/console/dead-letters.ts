// Dead letters: what there is, and what somebody does with those they name. Nothing is done to letters nobody has named.

import { placeOf, placeText } from '../dead/place.ts';
import { replay } from '../dead/replay.ts';
import { unchanged } from '../dead/unchanged.ts';
import { PipelineError } from '../errors.ts';
import type { LetterPlace, Letters } from '../ports/letters.ts';
import type { SinkWithDeadLetters } from '../ports/sink.ts';
import type { JudgeForeign } from '../ports/source.ts';
import { isoOf } from '../process/clock.ts';
import type { ConsoleDead, DeadActed } from './answers.ts';

/** What changes them. */
export interface Bench {
  readonly letters: Letters;
  readonly sink: SinkWithDeadLetters;
  readonly judge: JudgeForeign;
}

export interface DeadAsked {
  readonly limit: number;
  readonly reason: string | undefined;
  readonly topic: string | undefined;
}

const letterBytesMax = 65_536;
/** Of an answer's letters together. */
const bytesMax = 16 * 2 ** 20;
const placesMax = 1_000;
const whyLengthMax = 1_000;

/** Rejects with the sink's errors. */
export async function consoleDead(
  letters: Pick<Letters, 'find' | 'countByTopic'>,
  { limit, reason, topic }: DeadAsked,
): Promise<ConsoleDead> {
  const filter = { topic, reason };
  const rawBytesMax = Math.min(letterBytesMax, Math.floor(bytesMax / limit));
  const [reasons, found] = await Promise.all([
    letters.countByTopic(filter),
    letters.find({ ...filter, limit, rawBytesMax }),
  ]);
  return {
    reasons: reasons.map(({ reason: word, topic: of, letters: count }) => ({ reason: word, topic: of, count })),
    letters: found.map(letter => ({
      place: placeText(letter),
      topic: letter.topic,
      reason: letter.reason,
      error: letter.detail,
      at: isoOf(letter.failedAtMs),
      bytes: Buffer.from(letter.raw).toString(),
    })),
  };
}

/** As rows, those that now fit. Rejects with `bad_request` and the sink's errors; what was done until then is done. */
export async function replayDead(
  { letters, sink, judge }: Bench,
  body: Readonly<Record<string, unknown>>,
): Promise<DeadActed> {
  const places = placesIn(body);
  const left = await leftOf(letters, places);
  const { rows } = await replay({
    letters,
    sink,
    judge,
    filter: { places },
    dryRun: false,
    onStays: (letter, reason) => {
      left[placeText(letter)] = `still ${reason}`;
    },
  });
  return { done: [...rows.values()].reduce((sum, n) => sum + n, 0), left };
}

/** Given up for good. Rejects as replayDead does. */
export async function dismissDead(
  { letters }: Pick<Bench, 'letters'>,
  body: Readonly<Record<string, unknown>>,
  now = Date.now,
): Promise<DeadActed> {
  const places = placesIn(body);
  const { why = '' } = body;
  if (typeof why !== 'string' || why.length > whyLengthMax)
    throw new PipelineError('bad_request', `why is a text of at most ${whyLengthMax} characters`);
  const left = await leftOf(letters, places);
  await letters.dismiss({ places }, { atMs: now(), why: why.toWellFormed() });
  return { done: places.length - Object.keys(left).length, left };
}

/** Each once, however often it is named. Throws `bad_request`. */
function placesIn({ places }: Readonly<Record<string, unknown>>): readonly LetterPlace[] {
  if (!Array.isArray(places) || places.length === 0 || places.length > placesMax)
    throw new PipelineError('bad_request', `places is a list of 1 to ${placesMax} places of letters`);
  const read = new Map<string, LetterPlace>();
  for (const text of places as readonly unknown[]) {
    const place = typeof text === 'string' && text.length <= 1_000 ? placeOf(text) : null;
    if (place === null)
      throw new PipelineError('bad_request', 'a place of a letter is topic/partition/position, as it was told');
    read.set(placeText(place), place);
  }
  return [...read.values()];
}

async function leftOf(letters: Letters, places: readonly LetterPlace[]): Promise<Record<string, string>> {
  const rest = await unchanged(letters, { places }, false);
  return Object.fromEntries(rest.map(({ place, is }) => [placeText(place), is]));
}
