// The way of one event, from what this process can ask: what it told its sender, its disk buffer, the tables. The broker is
// not searched, which may take minutes: `ugc trace` does that. A place that cannot be asked keeps no other from being asked.

import { readId } from '../catalogue/rejection.ts';
import { placeText } from '../dead/place.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { BufferedEvent, DiskBuffer } from '../ports/buffer.ts';
import type { TracedEvent, TracedTables } from '../ports/event-tables.ts';
import { isoOf } from '../process/clock.ts';
import type { EventStory } from './answers.ts';

/** What this process has lately told the sender. */
export interface ToldSender {
  /** Where it was stored, or why it was not. */
  readonly outcome: string | { readonly reason: string };
  readonly atMs: number;
}

export interface StoryOptions {
  readonly tables: TracedTables;
  readonly buffer: Pick<DiskBuffer, 'find'> | null;
  /** Newest first. */
  readonly told: (id: string) => readonly ToldSender[];
  /** As people call it; null: the disk buffer is the log. */
  readonly broker: string | null;
}

type Step = EventStory['steps'][number];

interface Known {
  readonly told: readonly ToldSender[];
  readonly buffered: readonly BufferedEvent[];
  readonly traced: TracedEvent;
  readonly broker: string | null;
}

/** Rejects with `bad_request` when it is no id. */
export async function eventStory(
  { tables, buffer, told, broker }: StoryOptions,
  given: string,
  signal: AbortSignal,
): Promise<EventStory> {
  const id = readId(given);
  if (id === null) throw new PipelineError('bad_request', 'an event_id is a UUID');
  const unasked: Record<string, string> = {};
  const ask = async <T>(place: string, otherwise: T, look: () => Promise<T>): Promise<T> => {
    try {
      return await look();
    } catch (error) {
      unasked[place] = messageOf(error).trim();
      return otherwise;
    }
  };
  const [traced, buffered] = await Promise.all([
    ask<TracedEvent>('clickhouse', { rows: [], letters: [] }, () => tables.trace(id, signal)),
    ask<readonly BufferedEvent[]>('disk', [], async () => {
      const found = await buffer?.find([id]);
      if (found?.isWhole === false) unasked.disk = 'there are too many records to look at all of them';
      return found?.events ?? [];
    }),
  ]);
  const known: Known = { told: told(id), buffered, traced, broker };
  const [row] = traced.rows;
  return {
    event_id: id,
    steps: stepsOf(known),
    row: row?.row ?? null,
    table: row?.table ?? null,
    copies: row?.copies ?? 0,
    bytes: bytesOf(known),
    unasked,
  };
}

function bytesOf({ traced, buffered }: Known): string | null {
  const [letter] = traced.letters;
  return letter === undefined ? (buffered[0]?.body ?? null) : Buffer.from(letter.raw).toString();
}

function stepsOf(known: Known): readonly Step[] {
  const { traced, broker } = known;
  const [row] = traced.rows;
  const lateCopies = row !== undefined && row.copies > 1 ? `, ${row.copies} copies that read as one` : '';
  return [
    acceptedStep(known),
    ...(broker === null ? [] : bufferSteps(known)),
    logStep(known),
    {
      step: 'row',
      done: row !== undefined,
      at: null,
      words: row === undefined ? 'no row yet' : `a row of ${row.table}${lateCopies}`,
    },
    ...traced.letters.map(
      (letter): Step => ({
        step: 'dead_letter',
        done: true,
        at: isoOf(letter.failedAtMs),
        words: `${placeText(letter)}: ${letter.reason}, ${letter.detail}`,
      }),
    ),
  ];
}

function acceptedStep({ told, buffered, traced }: Known): Step {
  const taken = told.find(({ outcome }) => typeof outcome === 'string');
  const refused = told.find(({ outcome }) => typeof outcome !== 'string');
  const atMs = taken?.atMs ?? traced.rows[0]?.receivedAtMs ?? buffered[0]?.atMs;
  if (atMs !== undefined) return { step: 'accepted', done: true, at: isoOf(atMs), words: 'taken from its sender' };
  if (refused !== undefined && typeof refused.outcome !== 'string')
    return { step: 'accepted', done: false, at: isoOf(refused.atMs), words: `not taken: ${refused.outcome.reason}` };
  const isThere = traced.letters.length > 0;
  return {
    step: 'accepted',
    done: isThere,
    at: null,
    words: isThere ? 'taken, it is not known when' : 'not seen by this process',
  };
}

/** Only where it has been there: with a broker most never are. */
function bufferSteps({ told, buffered }: Known): readonly Step[] {
  const [found] = buffered;
  const wasThere = told.some(({ outcome }) => outcome === 'disk');
  if (found === undefined && !wasThere) return [];
  const words =
    found === undefined
      ? 'it has left the disk'
      : found.setAside === null
        ? 'it waits on the disk for the broker'
        : `set aside on the disk: ${found.setAside}`;
  return [{ step: 'buffer', done: true, at: found === undefined ? null : isoOf(found.atMs), words }];
}

function logStep({ told, buffered, traced, broker }: Known): Step {
  const isBehind = traced.rows.length > 0 || traced.letters.length > 0;
  const told0 = told.some(({ outcome }) => typeof outcome === 'string' && (broker === null || outcome !== 'disk'));
  const isHere = broker === null && buffered.length > 0;
  const name = broker ?? 'the disk';
  if (isHere) {
    const why = buffered[0]?.setAside ?? null;
    return {
      step: 'log',
      done: true,
      at: isoOf(buffered[0]?.atMs ?? 0),
      words: why === null ? 'on the disk' : `set aside on the disk: ${why}`,
    };
  }
  if (isBehind) return { step: 'log', done: true, at: null, words: `through ${name}` };
  return { step: 'log', done: told0, at: null, words: told0 ? `${name} has it` : `not known to be in ${name}` };
}
