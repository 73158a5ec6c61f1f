// A RabbitMQ looked at and left as it is: queues are asked for passively, which declares none.

import { type Connection, openConnection } from './connection.ts';
import { errorOfRabbitmq, isMissing } from './error.ts';
import type { RabbitmqConnection } from './options.ts';

export interface RabbitmqLook {
  readonly about: string;
  readonly missing: readonly string[];
  /** Messages that wait in quorum queues; null of streams, which do not count what a reader has passed. */
  readonly behind: number | null;
}

/** Rejects with a PipelineError where it does not answer, or does not let the user in. */
export async function lookAtRabbitmq(options: RabbitmqConnection, topics: readonly string[]): Promise<RabbitmqLook> {
  const connection = await openConnection(options);
  try {
    const missing: string[] = [];
    let behind = 0;
    for (const topic of topics) {
      const messages = await messagesIn(connection, topic);
      if (messages === null) missing.push(topic);
      else behind += messages;
    }
    const alarm = connection.blocked();
    const about = `RabbitMQ at ${connection.address} answers${alarm === null ? '' : `, and takes nothing now: ${alarm}`}`;
    return { about, missing, behind: options.kind === 'quorum' ? behind : null };
  } catch (thrown) {
    throw errorOfRabbitmq(thrown, 'before sending', connection.address);
  } finally {
    await connection.close();
  }
}

/** Null where there is no such queue: that ends the channel, so each question has one of its own. */
async function messagesIn(connection: Connection, topic: string): Promise<number | null> {
  const { channel, close } = await connection.channel();
  try {
    return (await channel.checkQueue(topic)).messageCount;
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  } finally {
    await close();
  }
}
