// The queue a token lies in (token.ts), made by the first who wants it. RabbitMQ 3.10 writes down that it has a queue a while
// after it has said so (ensure-topics.ts): when its node is killed in between, the queue is there ever after and has no leader.
// So one that has lived for long enough is marked, by an exchange of its name that nothing is ever sent through: exchanges have
// no leader. One that has neither leader nor mark lost no more than how far the first moments came, and is made anew by
// whoever finds it; one with a mark may only have its nodes away, and is left to its operator.

import type { ConfirmChannel } from 'amqplib';
import type { Logger } from '../../../process/telemetry.ts';
import type { Connection } from '../connect/connection.ts';
import { asking, isFound, isThere, quorumArguments } from '../connect/ensure-topics.ts';

interface Declaring {
  readonly channel: Pick<ConfirmChannel, 'assertQueue'>;
  readonly queue: string;
}

export async function declarePositions(connection: Connection, { channel, queue }: Declaring): Promise<void> {
  // The mark was of one before it, which somebody has deleted.
  if (!(await isThere(connection, queue))) await asking(connection, asked => asked.deleteExchange(queue));
  await channel.assertQueue(queue, {
    durable: true,
    arguments: { ...quorumArguments, 'x-single-active-consumer': true },
  });
}

interface Marking {
  readonly queue: string;
  readonly settledMs: number;
  /** The queue may be gone, or its node. */
  readonly until: Promise<unknown>;
  readonly logger: Logger;
}

/** Of a queue that can be consumed: marks it in a while, unless it is lost before. */
export function markSettled(connection: Connection, { queue, settledMs, until, logger }: Marking): void {
  const settled = setTimeout(() => {
    const marked = asking(connection, asked => asked.assertExchange(queue, 'fanout', { durable: true }));
    // Whoever reads the queue next tries it again.
    marked.catch(error => logger.debug({ err: error }, `${queue} was not marked as settled`));
  }, settledMs);
  settled.unref();
  void until.then(() => clearTimeout(settled));
}

/** Of a queue without a leader: the next who wants it makes it anew, if it never settled. */
export async function dropUnsettled(
  connection: Connection,
  { queue, logger }: { readonly queue: string; readonly logger: Logger },
): Promise<void> {
  if (await isFound(connection, asked => asked.checkExchange(queue))) return;
  await asking(connection, asked => asked.deleteQueue(queue));
  logger.warn(`the node of ${queue} was killed just after the queue was made, and has lost it: it is made anew`);
}
