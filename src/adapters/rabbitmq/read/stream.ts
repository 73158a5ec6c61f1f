// A stream, read: replayable, so the position is ours to keep (token.ts). Nothing is acknowledged but to be sent more.
// - it is read on from the last record that was passed, whose bytes must be the same: another record there, or none, is
//   another stream under this name, which is read from its start
// - what retention has deleted unread is told, and passed
// - memory is bounded by `readAhead` records

import type { Channel, ConsumeMessage } from 'amqplib';
import { PipelineError } from '../../../errors.ts';
import type { StartingPoint } from '../../../ports/transport.ts';
import type { Logger } from '../../../process/telemetry.ts';
import type { Connection } from '../connect/connection.ts';
import type { Delivery, Finished } from './batches.ts';
import { ackUpTo, consuming, type OpenShare, writtenAt } from './queue.ts';
import { waitingIn } from './share.ts';
import { type Position, sha1Of, type Token, takeToken } from './token.ts';

export interface StreamOptions {
  readonly topic: string;
  readonly epoch: number;
  readonly group: string;
  readonly readAhead: number;
  readonly from: StartingPoint | null;
  readonly settledMs: number;
  readonly logger: Logger;
  readonly onReady: () => void;
  /** Another has its turn. */
  readonly onWaiting: () => void;
  readonly onReplaced: (topic: string) => void;
}

/** So long the record that was passed last may take to come, before it is looked for. */
const verifyMsMax = 2_000;
/** The server takes a message back that is held for 30 minutes (consumer_timeout): the token is put anew before. */
const tokenAgeMsMax = 5 * 60_000;

/** Resolves once it is our turn. */
export async function readStream(connection: Connection, options: StreamOptions): Promise<OpenShare> {
  const { topic, epoch, group, from } = options;
  const token = await takeToken(connection, { ...options, queue: tokenQueueOf(group, topic) });
  const reader = await begin(connection, token, options).catch(async error => {
    await token.release();
    throw error;
  });
  const lost = Promise.race([token.over, reader.over]);
  let { position } = reader;
  let putAtMs = performance.now();
  let storing: Promise<void> = Promise.resolve();
  let end: number | null = null;

  /** One at a time; what comes meanwhile goes with the next. */
  let next: Promise<void> | null = null;
  function store(): Promise<void> {
    next ??= storing
      .catch(() => {})
      .then(() => {
        next = null;
        putAtMs = performance.now();
        storing = token.store(position);
        return storing;
      })
      // Ours no more: whoever has it reads again what this would have passed.
      .catch(() => {});
    return next;
  }
  if (position.log !== token.position.log || (from !== null && position.next !== token.position.next)) await store();

  return {
    share: {
      topic,
      epoch,
      take: reader.take,
      commit({ last, bytes }: Finished) {
        if (last < position.next) return next ?? storing.catch(() => {});
        position = { log: position.log, next: last + 1, sha1: sha1Of(bytes) };
        return store();
      },
      lag: () => {
        const known = Math.max(end ?? 0, reader.delivered());
        return reader.delivered() === 0 && end === null ? null : Math.max(0, known - position.next);
      },
      async tick() {
        if (performance.now() - putAtMs > tokenAgeMsMax) await store();
        if (reader.isFull()) end = (await endOf(connection, topic)) ?? end;
        else end = Math.max(reader.delivered(), position.next);
      },
    },
    over: lost,
    async release() {
      await reader.close();
      await token.release();
    },
  };
}

export const tokenQueueOf = (group: string, topic: string): string => `ugc.position.${group}.${topic}`;

interface Reader {
  readonly position: Position;
  readonly over: Promise<PipelineError>;
  take(bytesMax: number): readonly Delivery[];
  /** The offset behind the last record that came. */
  delivered(): number;
  /** There may be more than came. */
  isFull(): boolean;
  close(): Promise<void>;
}

async function begin(connection: Connection, token: Token, options: StreamOptions): Promise<Reader> {
  const { position } = token;
  if (position.sha1 === '') return consume(connection, options, { position, offset: startOf(position, options) });
  const reader = await consume(connection, options, { position, offset: position.next - 1, verifies: true });
  if (await reader.verified) return reader;
  await reader.close();
  options.logger.warn(
    { topic: options.topic, position: position.next },
    'the position is of another stream of this name: it is read from its start',
  );
  options.onReplaced(options.topic);
  return consume(connection, options, { position: { log: position.log + 1, next: 0, sha1: '' }, offset: 'first' });
}

type Offset = number | 'first' | 'next' | { readonly '!': 'timestamp'; readonly value: number };

/** Where a group begins that has passed nothing of this stream. */
function startOf({ next }: Position, { from, topic }: StreamOptions): Offset {
  if (next > 0) return next;
  if (from === null) return 'first';
  if ('atMs' in from) return { '!': 'timestamp', value: Math.floor(from.atMs / 1_000) };
  return from.offsets.get(`${topic}/0`) ?? 'next';
}

interface Consuming {
  readonly position: Position;
  readonly offset: Offset;
  /** The first record is the one passed last. */
  readonly verifies?: boolean;
}

async function consume(
  connection: Connection,
  { topic, readAhead, logger, onReady }: StreamOptions,
  { position, offset, verifies = false }: Consuming,
): Promise<Reader & { readonly verified: Promise<boolean> }> {
  const { channel, over: ended, close } = await connection.channel();
  const lost = Promise.withResolvers<PipelineError>();
  const verified = Promise.withResolvers<boolean>();
  const ready: Delivery[] = [];
  const takeReady = waitingIn(ready);
  let awaited = verifies ? position.next - 1 : null;
  let delivered = 0;
  let [tag, credited] = [0, 0];
  void ended.then(error => {
    lost.resolve(error);
    verified.reject(error);
  });
  verified.promise.catch(() => {});

  function arrived(message: ConsumeMessage): void {
    const at = Number(message.properties.headers?.['x-stream-offset']);
    tag = message.fields.deliveryTag;
    if (awaited !== null) {
      const wanted = awaited;
      awaited = null;
      if (at > wanted) tellMissed(at, position.next);
      const isSame = at > wanted || (at === wanted && sha1Of(message.content) === position.sha1);
      verified.resolve(isSame);
      if (at === wanted) return;
    }
    delivered = at + 1;
    ready.push({ content: message.content, at, atMs: writtenAt(message) });
    onReady();
  }

  function tellMissed(at: number, next: number): void {
    if (at === next) return;
    const missed = at - next;
    logger.error(
      { topic, position: next, earliest: at, missed },
      `${missed} records were deleted unread; going on at the earliest`,
    );
  }

  await channel.prefetch(readAhead);
  await consuming(
    channel,
    topic,
    message => {
      if (message !== null) arrived(message);
      else lost.resolve(new PipelineError('log_unavailable', `the stream ${topic} was deleted`));
    },
    { 'x-stream-offset': offset },
  );
  if (verifies) void lookFor(connection, { topic, wanted: position.next - 1, channel }, verified);
  else verified.resolve(true);
  return {
    position,
    over: lost.promise,
    verified: verified.promise,
    take(bytesMax) {
      const taken = takeReady(bytesMax);
      // What is polled makes room for as much.
      if (tag - ready.length > credited) {
        credited = tag - ready.length;
        ackUpTo(channel, credited);
      }
      return taken;
    },
    delivered: () => delivered,
    isFull: () => ready.length >= readAhead / 2,
    close,
  };
}

interface Wanted {
  readonly topic: string;
  readonly wanted: number;
  readonly channel: Pick<Channel, 'checkQueue'>;
}

/**
 * Beyond its end a server waits for what may be written there. So where the record does not come, and the server has
 * shown meanwhile that it answers, it is not there: unless the stream reaches beyond it.
 */
async function lookFor(
  connection: Connection,
  { topic, wanted, channel }: Wanted,
  verified: ReturnType<typeof Promise.withResolvers<boolean>>,
): Promise<void> {
  try {
    for (;;) {
      if (await within(verifyMsMax, verified.promise)) return;
      const last = await endOf(connection, topic);
      // Asked on the very channel it would have come on.
      await channel.checkQueue(topic);
      if (await within(verifyMsMax, verified.promise)) return;
      if (last === null || last <= wanted + 1) verified.resolve(false);
    }
  } catch (error) {
    verified.reject(error);
  }
}

/** Whether it has come to anything by then. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, ms, false);
  const first = await Promise.race([promise.then(() => true as const), late]);
  clearTimeout(timer);
  return first;
}

/** The offset behind the first record of the stream's last chunk, at least; null when it is empty. */
export async function endOf(connection: Connection, topic: string): Promise<number | null> {
  const { channel, over, close } = await connection.channel();
  const came = Promise.withResolvers<number>();
  void over.then(came.reject);
  came.promise.catch(() => {});
  try {
    await channel.prefetch(1);
    await consuming(
      channel,
      topic,
      message => message !== null && came.resolve(Number(message.properties.headers?.['x-stream-offset']) + 1),
      { 'x-stream-offset': 'last' },
    );
    return (await within(verifyMsMax, came.promise)) ? await came.promise : null;
  } finally {
    await close();
  }
}
