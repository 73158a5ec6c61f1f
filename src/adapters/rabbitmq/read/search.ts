// Where one event lies in the streams of RabbitMQ: each is read from a time, or from its first record, up to what was its
// end when the search began. A stream is read without taking anything from it; a quorum queue is not, so it is not asked.

import { PipelineError } from '../../../errors.ts';
import { bodyStart } from '../../../record/stamp.ts';
import { type Connection, openConnection } from '../connect/connection.ts';
import { errorOfRabbitmq, isMissing } from '../connect/error.ts';
import type { RabbitmqConnection } from '../connect/options.ts';
import { ackUpTo, consuming } from './queue.ts';
import { endOf } from './stream.ts';

export interface RabbitmqRecord {
  readonly topic: string;
  readonly offset: number;
  readonly body: string;
}

export interface SearchOptions extends RabbitmqConnection {
  readonly id: string;
  readonly topics: readonly string[];
  /** Epoch milliseconds, of when RabbitMQ took it; null = from the first record there is. */
  readonly sinceMs: number | null;
}

const readAhead = 1_000;
/** A stream does not say that this was its last record: none comes any more. */
const silenceMsMax = 1_000;

/** Rejects with a PipelineError where RabbitMQ cannot be read to the end. A topic that is not there has nothing. */
export async function searchRabbitmq(options: SearchOptions): Promise<readonly RabbitmqRecord[]> {
  if (options.kind === 'quorum')
    throw new PipelineError(
      'config_invalid',
      'a quorum queue cannot be looked into without taking events from it (UGC_RABBITMQ_QUEUE=stream can)',
    );
  const connection = await openConnection(options);
  const found: RabbitmqRecord[] = [];
  try {
    for (const topic of options.topics) found.push(...(await searchStream(connection, topic, options)));
    return found;
  } catch (thrown) {
    throw errorOfRabbitmq(thrown, 'before sending', connection.address);
  } finally {
    await connection.close();
  }
}

async function searchStream(
  connection: Connection,
  topic: string,
  { id, sinceMs }: SearchOptions,
): Promise<readonly RabbitmqRecord[]> {
  const end = await endOf(connection, topic).catch(thrown => {
    if (isMissing(thrown)) return null;
    throw thrown;
  });
  if (end === null) return [];
  const { channel, over, close } = await connection.channel();
  const start = bodyStart(id);
  const found: RabbitmqRecord[] = [];
  const done = Promise.withResolvers<void>();
  void over.then(done.reject);
  done.promise.catch(() => {}); // it may be over before it is waited for
  let silence: Timer | null = null;
  try {
    await channel.prefetch(readAhead);
    const offset = sinceMs === null ? 'first' : { '!': 'timestamp', value: Math.floor(sinceMs / 1_000) };
    const take = (at: number, tag: number, content: Buffer): void => {
      if (content.toString('utf8', 0, start.length) === start)
        found.push({ topic, offset: at, body: content.toString() });
      ackUpTo(channel, tag);
      if (silence !== null) clearTimeout(silence);
      // What lies behind the beginning of its last chunk is there, too.
      silence = at + 1 >= end ? setTimeout(done.resolve, silenceMsMax) : null;
    };
    await consuming(
      channel,
      topic,
      message => {
        if (message === null) done.reject(new PipelineError('log_unavailable', `the stream ${topic} was deleted`));
        else take(Number(message.properties.headers?.['x-stream-offset']), message.fields.deliveryTag, message.content);
      },
      { 'x-stream-offset': offset },
    );
    // A time that nothing was written after begins with what comes next.
    if (sinceMs !== null) silence = setTimeout(done.resolve, 2 * silenceMsMax);
    await done.promise;
    return found;
  } finally {
    if (silence !== null) clearTimeout(silence);
    await close();
  }
}
