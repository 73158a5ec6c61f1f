// What the buffer's tests share: envelopes, polling to the end, conditions.

import type { Batch, DiskBuffer, Envelope, Source } from '../../src/ports.ts';

export const noTopics: ReadonlySet<string> = new Set();

export function envelope(id: string, type = 'click', extra = ''): Envelope {
  const body = JSON.stringify({ event_id: id, event_type: type, extra });
  return { id, type, version: 0, topic: `ugc.${type}`, key: `user-${id}`, body, receivedAtMs: 1_795_000_000_000 };
}

export const envelopes = (count: number, type?: string, prefix = 'e'): Envelope[] =>
  Array.from({ length: count }, (_, index) => envelope(`${prefix}${index}`, type));

export const bodiesOf = (batch: Batch): string[] => new TextDecoder().decode(batch.ndjson).split('\n').slice(0, -1);
export const idOf = (body: string): string => JSON.parse(body).event_id;
export const idsOf = (batches: readonly Batch[]): string[] => batches.flatMap(bodiesOf).map(idOf);

/** One poll that must find something. */
export async function pollSome(source: Source, bytesMax = 2 ** 20, paused = noTopics): Promise<readonly Batch[]> {
  const batches = await source.poll({ paused, bytesMax }, AbortSignal.timeout(10_000));
  if (batches.length === 0) throw new Error('nothing came within 10 s');
  return batches;
}

/** Everything there is now: polls until one finds nothing for a while. */
export async function pollAll(source: Source, paused = noTopics, quietMs = 60): Promise<Batch[]> {
  const all: Batch[] = [];
  for (;;) {
    const batches = await source.poll({ paused, bytesMax: 2 ** 20 }, AbortSignal.timeout(quietMs));
    if (batches.length === 0) return all;
    all.push(...batches);
  }
}

export async function commitAll(source: Source, batches: readonly Batch[]): Promise<void> {
  for (const { topic, partition, last } of batches) await source.commit({ topic, partition, last });
}

/** Waits for a condition; the limit only ends a broken test. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await Bun.sleep(2);
  }
}

export const isEmpty = (buffer: DiskBuffer) => async (): Promise<boolean> => (await buffer.stats()).events === 0;
