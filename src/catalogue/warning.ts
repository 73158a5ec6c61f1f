// What looks wrong with an event that is taken all the same: a closed set of words, for whoever sends it. No event is
// refused because of them, and none of them is stored.

import { stampedNames } from '../../schemas/event.ts';
import { pointerOf } from '../../schemas/misfit.ts';
import { type JsonObject, type KnownFields, misfitsMax } from './rejection.ts';

/** With what each means, for the documents. */
export const warningWords = {
  clock_corrected: 'by sent_at the client’s clock is more than 10 s ahead or a minute behind: timestamp was corrected',
  fields_dropped: 'its type has no such fields (dropped_fields): they are not stored (UGC_UNKNOWN_FIELDS=drop)',
  number_rounded: 'an integer beyond 2^53 stands where numbers are doubles: the nearest one is stored',
  user_replaced: 'it names another user than its token does (sub): the token’s counts',
  bot: 'by its User-Agent a bot has sent it (UGC_BOTS=mark)',
  repeated: 'an event of this type and event_id stands before it in the request: that one counts',
} as const;

export type WarningWord = keyof typeof warningWords;

export interface Warnings {
  readonly words: readonly WarningWord[];
  /** JSON pointers of fields that were thrown away, of many the first; none where none were. */
  readonly dropped: readonly string[];
}

/** Of an event with whatever was found of it before. */
export const warned = (before: Warnings | undefined, word: WarningWord): Warnings =>
  before === undefined ? { words: [word], dropped: [] } : { ...before, words: [...before.words, word] };

/** Of a clock that is ahead less than this nothing is said: requests that come late make up for it. */
const aheadMsMax = 10_000;

/** What the judge has found. */
export interface Doubts {
  /** What sent_at has corrected its timestamp by; 0 = nothing. */
  readonly skewMs: number;
  readonly isRounded: boolean;
  readonly isOfBot: boolean;
  /** Names its type does not have; null = none. */
  readonly unknown: readonly string[] | null;
}

/** Undefined, as of nearly all events: there is nothing to say. */
export function warningsOf({ skewMs, isRounded, isOfBot, unknown }: Doubts): Warnings | undefined {
  const isSkewed = skewMs > 0 || skewMs < -aheadMsMax;
  if (!isSkewed && !isRounded && !isOfBot && unknown === null) return undefined;
  const words: WarningWord[] = [];
  if (isSkewed) words.push('clock_corrected');
  if (unknown !== null) words.push('fields_dropped');
  if (isRounded) words.push('number_rounded');
  if (isOfBot) words.push('bot');
  return { words, dropped: (unknown ?? []).map(name => `/${pointerOf(name)}`) };
}

/** The first names of an event that its type does not have; null = there are none. */
export function unknownNames(event: JsonObject, { known }: KnownFields): readonly string[] | null {
  let names: string[] | null = null;
  for (const name in event) {
    if (known.has(name) || stampedNames.includes(name)) continue;
    names ??= [];
    if (names.push(name) === misfitsMax) break;
  }
  return names;
}

/** What follows the other members of an answer: nothing, or `,"warning":["…"]`. */
export function warningText(warnings: Warnings | undefined): string {
  if (warnings === undefined) return '';
  const { words, dropped } = warnings;
  const fields = dropped.length === 0 ? '' : `,"dropped_fields":${JSON.stringify(dropped)}`;
  return `,"warning":${JSON.stringify(words)}${fields}`;
}
