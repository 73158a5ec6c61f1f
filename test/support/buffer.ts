// What the buffer's tests share: envelopes, polling to the end, conditions.

import type { DiskBuffer } from '../../src/ports/buffer.ts';
import type { Envelope } from '../../src/ports/log.ts';
import type { Batch, PositionedBatch, PositionedSource } from '../../src/ports/source.ts';

/** Of the events a child appends (buffer-child.ts). */
export const childTypes = ['click', 'page_view', 'film_watched'] as const;

export const noTopics: ReadonlySet<string> = new Set();

export function envelope(id: string, type = 'click', extra = ''): Envelope {
  const body = JSON.stringify({ event_id: id, event_type: type, extra });
  return { id, type, version: 0, topic: `ugc.${type}`, key: `user-${id}`, body, receivedAtMs: 1_795_000_000_000 };
}

export const envelopes = (count: number, type?: string, prefix = 'e'): Envelope[] =>
  Array.from({ length: count }, (_, index) => envelope(`${prefix}${index}`, type));

export const bodiesOf = (batch: Pick<Batch, 'ndjson'>): string[] =>
  new TextDecoder().decode(batch.ndjson).split('\n').slice(0, -1);
export const idOf = (body: string): string => JSON.parse(body).event_id;
export const idsOf = (batches: readonly Batch[]): string[] => batches.flatMap(bodiesOf).map(idOf);

/** Only ends a broken test. */
const patienceMs = 90_000;

/** One poll that must find something. */
export async function pollSome(
  source: PositionedSource,
  bytesMax = 2 ** 20,
  paused = noTopics,
): Promise<readonly PositionedBatch[]> {
  const batches = await source.poll({ paused, bytesMax }, AbortSignal.timeout(patienceMs));
  if (batches.length === 0) throw new Error(`nothing came within ${patienceMs} ms`);
  return batches;
}

const countOf = (batches: readonly Batch[]): number => batches.reduce((sum, { count }) => sum + count, 0);

/** So many events, however long they take, and whatever comes right behind them: one too many is for the test to find. */
export async function pollAll(source: PositionedSource, count: number, paused = noTopics): Promise<PositionedBatch[]> {
  const all: PositionedBatch[] = [];
  while (countOf(all) < count) all.push(...(await pollSome(source, 2 ** 20, paused)));
  for (;;) {
    const more = await source.poll({ paused, bytesMax: 2 ** 20 }, AbortSignal.timeout(60));
    if (more.length === 0) return all;
    all.push(...more);
  }
}

export async function commitAll(source: Pick<PositionedSource, 'commit'>, batches: readonly Batch[]): Promise<void> {
  for (const { ack } of batches) await source.commit(ack);
}

export const isEmpty = (buffer: DiskBuffer) => async (): Promise<boolean> => (await buffer.stats()).events === 0;
