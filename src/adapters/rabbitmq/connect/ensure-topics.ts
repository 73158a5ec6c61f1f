// The queues must be there before anything is written to them. Those that are missing are declared, or, where that is not
// allowed, the command for an operator who may is in the error. What is there stays as it is: its retention and where its
// replicas lie are its operator's; only a queue of another kind is refused, as it keeps other promises.

import type { Channel } from 'amqplib';
import { PipelineError } from '../../../errors.ts';
import { type Connection, openConnection } from './connection.ts';
import { differenceIn, errorOfRabbitmq, isMissing } from './error.ts';
import type { QueueKind, RabbitmqConnection } from './options.ts';

export interface TopicShape {
  /** Whether we may create any; otherwise one that is missing is a `log_halted`. */
  readonly create?: boolean;
  /** Of a stream: older segments are deleted. 0 = never for their age. */
  readonly retentionHours?: number;
  /** Of a stream: the oldest segments beyond it are deleted. 0 = never for their size. */
  readonly retentionBytes?: number;
  /** So long what was made is not written to by this process. */
  readonly settleMs?: number;
  /** Those that are not written to yet: kept here for the log. */
  readonly settling?: Set<string>;
}

/**
 * RabbitMQ 3.10 writes down that it has a queue up to a second after it has said so: a node that is killed before comes back
 * without it, for good, and with it what was confirmed meanwhile. Tried: killed after 0, 0.3 and 0.7 s the queue was down
 * each time, after 1.2, 1.5 and 2 s never.
 */
const settleMsDefault = 1_250;

/** Resolves with the topics it created. Rejects with a PipelineError: `log_halted` names the command to run. */
export async function ensureTopics(
  options: RabbitmqConnection,
  wanted: readonly string[],
  shape: TopicShape = {},
): Promise<readonly string[]> {
  const connection = await openConnection(options);
  const queueArguments = argumentsOf(options.kind, shape);
  const { settling = new Set() } = shape;
  const missing: string[] = [];
  try {
    for (const topic of wanted) if ((await declaredWith(connection, topic, options.kind)) === null) missing.push(topic);
    if (missing.length === 0) return missing;
    if (shape.create === false)
      throw new PipelineError('log_halted', `${connection.address} does not have every queue`);
    for (const topic of missing) {
      settling.add(topic);
      await asking(connection, channel => channel.assertQueue(topic, { durable: true, arguments: queueArguments }));
    }
    await Bun.sleep(shape.settleMs ?? settleMsDefault);
    return missing;
  } catch (thrown) {
    const error = errorOfRabbitmq(thrown, 'before sending', connection.address);
    if (missing.length === 0) throw error;
    const commands = missing.map(
      topic => `rabbitmqadmin declare queue name=${topic} durable=true arguments='${JSON.stringify(queueArguments)}'`,
    );
    throw new PipelineError(
      error.code,
      `${error.message}\nThese queues are missing, declare them:\n${commands.join('\n')}`,
      { cause: thrown },
    );
  } finally {
    for (const topic of missing) settling.delete(topic);
    await connection.close();
  }
}

/**
 * From 4.0 on a quorum queue drops what it has delivered 20 times, if nobody says otherwise: a mover that is killed, or waits
 * longer than the server does, again and again would lose events. The largest number is never reached.
 */
export const quorumArguments = { 'x-queue-type': 'quorum', 'x-delivery-limit': 2 ** 31 - 1 } as const;

function argumentsOf(kind: QueueKind, { retentionHours = 0, retentionBytes = 0 }: TopicShape) {
  if (kind === 'quorum') return quorumArguments;
  return {
    'x-queue-type': 'stream',
    ...(retentionHours > 0 && { 'x-max-age': `${retentionHours}h` }),
    ...(retentionBytes > 0 && { 'x-max-length-bytes': retentionBytes }),
  };
}

/** What its queue was declared with; null = there is none. Rejects with `log_halted` when it is there as something else. */
export async function declaredWith(connection: Connection, topic: string, kind: QueueKind): Promise<Arguments | null> {
  return (await isThere(connection, topic)) ? argumentsThere(connection, topic, kind) : null;
}

/** One that is down is there. */
export const isThere = (connection: Connection, queue: string): Promise<boolean> =>
  isFound(connection, channel => channel.checkQueue(queue));

/** Whether the server knows what is asked for. */
export async function isFound(connection: Connection, ask: (channel: Asked) => PromiseLike<unknown>): Promise<boolean> {
  try {
    await asking(connection, ask);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

type Arguments = Readonly<Record<string, string | number>>;

/** AMQP does not tell what a queue is, only what of a declaration differs: it is declared as the server says it is. */
async function argumentsThere(connection: Connection, topic: string, kind: QueueKind): Promise<Arguments> {
  const queueArguments: Record<string, string | number> = { 'x-queue-type': kind };
  // Each turn learns one argument more, or ends.
  for (;;)
    try {
      await asking(connection, channel => channel.assertQueue(topic, { durable: true, arguments: queueArguments }));
      return queueArguments;
    } catch (thrown) {
      const difference = differenceIn(thrown);
      if (difference === null) throw thrown;
      const { argument, current } = difference;
      if (!argument.startsWith('x-') || argument === 'x-queue-type' || argument in queueArguments || !current)
        throw new PipelineError(
          'log_halted',
          `the queue ${topic} at ${connection.address} is no durable ${kind} queue: delete it, or set UGC_RABBITMQ_QUEUE or UGC_TOPIC`,
          { cause: thrown },
        );
      queueArguments[argument] = current;
    }
}

/** On a channel of its own, as a refusal ends it. */
export async function asking<T>(connection: Connection, ask: (channel: Asked) => PromiseLike<T>): Promise<T> {
  const { channel, close } = await connection.channel();
  const answer = await ask(channel);
  await close();
  return answer;
}

type Asked = Omit<Channel, 'close'>;
