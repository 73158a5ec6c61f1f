// What the tests of the Kafka source share: a source that is closed in the end, reading until something is there, records
// as the edge writes them.

import type { KafkaSourceOptions } from '../../src/adapters/kafka/connect/options.ts';
import { type KafkaSource, kafkaSource } from '../../src/adapters/kafka/read/source.ts';
import type { Batch, PositionedBatch } from '../../src/ports/source.ts';
import { quietLogger } from './quiet.ts';

export const bytesMax = 2 ** 20;
export const nothingPaused: ReadonlySet<string> = new Set();

/** The body of an event as the edge stamps it; `name` is to be found again in it. */
export const stamped = (name: string | number, type = 'page_view'): string =>
  `{"event_id":"${crypto.randomUUID()}","event_type":"${type}","schema_version":1,"received_at":"2026-11-22T01:00:00.000Z","name":"${name}"}`;

export const nameOf = (body: string): string => JSON.parse(body).name;

export const linesOf = ({ ndjson }: Batch): string[] => Buffer.from(ndjson).toString().split('\n').slice(0, -1);

export const namesOf = (batches: readonly Batch[]): string[] => batches.flatMap(linesOf).map(nameOf);

export const countOf = (batches: readonly Batch[]): number => batches.reduce((sum, { count }) => sum + count, 0);

/** Sources of a test file. The session is as short as a broker allows. */
export function sourcesOf(connection: () => { readonly brokers: readonly string[] }) {
  const open = new Set<KafkaSource>();
  return {
    open(groupId: string, topics: readonly string[], more: Partial<KafkaSourceOptions> = {}): KafkaSource {
      const source = kafkaSource({
        ...connection(),
        clientId: 'ugc',
        groupId,
        topics,
        logger: quietLogger,
        sessionTimeoutMs: 6_000,
        topicsAgeMsMax: 300,
        requestTimeoutMs: 5_000,
        ...more,
      });
      open.add(source);
      return source;
    },
    async closeAll(): Promise<void> {
      await Promise.all([...open].map(source => source.close()));
      open.clear();
    },
  };
}

/** Polls until so many records are there; fails with what came when they do not. */
export async function read(
  source: KafkaSource,
  count: number,
  { paused = nothingPaused, msMax = 90_000 } = {},
): Promise<PositionedBatch[]> {
  const signal = AbortSignal.timeout(msMax);
  const batches: PositionedBatch[] = [];
  while (countOf(batches) < count) {
    const polled = await source.poll({ paused, bytesMax }, signal);
    if (signal.aborted && polled.length === 0)
      throw new Error(`${countOf(batches)} of ${count} records came within ${msMax} ms; ${source.problem()}`);
    batches.push(...polled);
  }
  return batches;
}

export async function commitAll(source: KafkaSource, batches: readonly Batch[]): Promise<void> {
  await Promise.all(batches.map(batch => source.commit(batch.ack)));
}

/** Whatever comes within a while: for what must not come. */
export async function readFor(source: KafkaSource, ms: number, paused = nothingPaused): Promise<PositionedBatch[]> {
  const signal = AbortSignal.timeout(ms);
  const batches: PositionedBatch[] = [];
  while (!signal.aborted) batches.push(...(await source.poll({ paused, bytesMax }, signal)));
  return batches;
}
