// The queue a token lies in (token.ts), made by the first who wants it. RabbitMQ 3.10 writes down that it has a queue a while
// after it has said so (ensure-topics.ts): when its node is killed in between, the queue is there ever after and has no leader.
// Who has made it knows that nothing is lost with it but how far the first moments came, and makes it anew; a queue of anybody
// else's may only have its nodes away, and is left to its operator.

import type { ConfirmChannel } from 'amqplib';
import type { Logger } from '../../../process/telemetry.ts';
import type { Connection } from '../connect/connection.ts';
import { isThere, quorumArguments } from '../connect/ensure-topics.ts';

/** Those that were made here, by a node that has not shown since that it has kept them. */
export type Unsettled = Set<string>;

/** A node that hangs is noticed within two heartbeats; one that has lived for so long has written down what it made before. */
const settledMs = 30_000;

interface Declaring {
  readonly channel: Pick<ConfirmChannel, 'assertQueue'>;
  readonly queue: string;
  readonly unsettled: Unsettled;
}

export async function declarePositions(
  connection: Connection,
  { channel, queue, unsettled }: Declaring,
): Promise<void> {
  if (!(await isThere(connection, queue))) {
    unsettled.add(queue);
    const settled = setTimeout(() => unsettled.delete(queue), settledMs);
    settled.unref();
    void connection.over.then(() => clearTimeout(settled));
  }
  await channel.assertQueue(queue, {
    durable: true,
    arguments: { ...quorumArguments, 'x-single-active-consumer': true },
  });
}

/** To be made anew by the next who wants it, if it has no leader because its node was killed just after we made it. */
export async function dropUnsettled(
  connection: Connection,
  { queue, unsettled, logger }: { readonly queue: string; unsettled: Unsettled; readonly logger: Logger },
): Promise<void> {
  if (!unsettled.has(queue)) return;
  const { channel, close } = await connection.channel();
  await channel.deleteQueue(queue);
  unsettled.delete(queue);
  await close();
  logger.warn(`the node of ${queue} was killed just after the queue was made, and has lost it: it is made anew`);
}
