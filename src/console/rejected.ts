// What senders lose, from the table of rejections, each with what its sender should do.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { expectation } from '../../schemas/misfit.ts';
import type { RejectionGroup, ShownTables } from '../ports/shown-tables.ts';
import { isoOf } from '../process/clock.ts';
import type { ConsoleRejections } from './answers.ts';

const groupsMax = 200;
const unknownWord = '(unknown)';

export interface RejectedOptions {
  readonly tables: Pick<ShownTables, 'rejections'>;
  readonly catalogue: () => Catalogue;
}

/** Rejects with the sink's errors. */
export async function consoleRejections(
  { tables, catalogue }: RejectedOptions,
  hours: number,
  signal: AbortSignal,
): Promise<ConsoleRejections> {
  const found = await tables.rejections({ hours, limit: groupsMax }, signal);
  return {
    groups: found.map(group => ({
      type: group.type === unknownWord ? '' : group.type,
      reason: group.reason,
      field: group.path,
      source: group.source,
      count: group.rejected,
      first_at: isoOf(group.firstAtMs),
      last_at: isoOf(group.lastAtMs),
      example: group.example,
      mend: mendOf(group, catalogue()),
    })),
  };
}

/** By the word of the answer, what is to be done whatever the event is. */
const mends: Readonly<Record<string, string>> = {
  not_json: 'Send valid JSON in UTF-8; the answer says at which place it breaks off.',
  unknown_type: 'Use a name of the catalogue as event_type, or define the type first: ugc schema.',
  too_old: 'Send events sooner, with the time they happened at; UGC_EVENT_AGE_MAX_DAYS says how old one may be.',
  in_future: 'Set the clock of the sender, or send sent_at beside the timestamp, by which it is put right.',
  too_large: 'Send less in one event or body; the answer names the bound.',
  not_allowed: 'Use a key that may send this type, or give this one more: ugc keys.',
  bad_request: 'Send the request as the answer says.',
  unsupported_media_type: 'Send application/json, uncompressed or with one of gzip, deflate, br, zstd.',
  body_timeout: 'Send the whole body without a pause.',
  '(other)': 'There were more kinds of rejections in a minute than are told apart: mend the others first.',
};

export function mendOf(
  { type, reason, path }: Pick<RejectionGroup, 'type' | 'reason' | 'path'>,
  catalogue: Catalogue,
): string {
  if (reason !== 'invalid') return mends[reason] ?? 'The answer to its sender says what is wrong.';
  if (path === unknownWord)
    return `Leave out fields that ${type} does not have: free ones go into properties, and a name one letter away is told in the answer.`;
  const name = path.slice(1);
  const field = catalogue.find(type)?.allFields.find(known => known.name === name);
  if (field !== undefined)
    return `Send as ${name} ${expectation(field.schema)}${field.absent === undefined ? '; it is required' : ''}.`;
  if (name === 'timestamp' || name === 'sent_at')
    return `Send as ${name} a time: ISO 8601 with its zone, or milliseconds since 1970.`;
  if (name === 'event_id') return 'Send as event_id a UUID of its own for each event, or none.';
  return 'The answer to its sender says which field is wrong and what it takes.';
}
