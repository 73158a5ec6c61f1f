// A quorum queue, read: the server shares its records among all that consume, and keeps what is not acknowledged for the
// next. A commit acknowledges everything up to a record (basic.ack, multiple) on the channel it came on; what a mover held
// when it died is delivered again, to whoever is there.

import type { Channel, ConsumeMessage } from 'amqplib';
import { PipelineError } from '../../../errors.ts';
import { timed } from '../../../process/sleep.ts';
import type { Connection } from '../connect/connection.ts';
import type { Delivery } from './batches.ts';
import { type Share, waitingIn } from './share.ts';

export interface QueueOptions {
  readonly topic: string;
  readonly epoch: number;
  readonly prefetch: number;
  readonly onReady: () => void;
}

export interface OpenShare {
  readonly share: Share;
  /** Resolves once it is ours no more, with the reason. */
  readonly over: Promise<PipelineError>;
  /** Lets it go, so that another may have it. */
  release(): Promise<void>;
}

export async function readQueue(connection: Connection, options: QueueOptions): Promise<OpenShare> {
  const { topic, epoch, prefetch, onReady } = options;
  const { channel, over: ended, close } = await connection.channel();
  const lost = Promise.withResolvers<PipelineError>();
  const ready: Delivery[] = [];
  const take = waitingIn(ready);
  let delivered = 0;
  let acked = 0;
  /** What there was at the last look: delivered by then, and still to be. */
  let known: number | null = null;
  void ended.then(lost.resolve);

  await channel.prefetch(prefetch);
  await consuming(channel, topic, message => {
    if (message === null) {
      lost.resolve(new PipelineError('log_unavailable', `the queue ${topic} was deleted`));
      return;
    }
    delivered = message.fields.deliveryTag;
    ready.push({ content: message.content, at: delivered, atMs: writtenAt(message) });
    onReady();
  }).catch(error => {
    void close(); // or it takes records that nobody has
    throw error;
  });

  return {
    share: {
      topic,
      epoch,
      take,
      async commit({ last }) {
        if (last <= acked) return;
        acked = last;
        ackUpTo(channel, last);
      },
      lag: () => (known === null ? null : Math.max(known, delivered) - acked),
      async tick() {
        const { messageCount } = await channel.checkQueue(topic);
        known = delivered + messageCount;
      },
    },
    over: lost.promise,
    release: close,
  };
}

/** So long a node that is well may take to let us consume. */
const consumeMsMax = 10_000;

/** Most of a queue's nodes are away, or its node was killed just after it was made. */
export class NoLeader extends PipelineError {}

/** A queue without a leader does not refuse a consumer: it does not answer. Rejects then, with `NoLeader`. */
export async function consuming(
  channel: Pick<Channel, 'consume'>,
  queue: string,
  take: (message: ConsumeMessage | null) => void,
  consumerArguments: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const begun = channel.consume(queue, take, { arguments: consumerArguments });
  begun.catch(() => {});
  await timed(consumeMsMax, begun, () => {
    throw new NoLeader(
      'log_unavailable',
      `the queue ${queue} has no leader: most of its nodes are away, or its node was killed just after it was made (then delete it)`,
    );
  });
}

/** amqplib acknowledges messages; of one it reads the tag alone. */
export function ackUpTo(channel: Pick<Channel, 'ack'>, tag: number): void {
  try {
    channel.ack({ fields: { deliveryTag: tag } } as ConsumeMessage, true);
  } catch {
    // The channel is over: what it delivered comes again.
  }
}

/** By the AMQP property, in seconds, that whoever wrote it may have set. */
export function writtenAt({ properties }: ConsumeMessage): number {
  const seconds: unknown = properties.timestamp;
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : -1;
}
