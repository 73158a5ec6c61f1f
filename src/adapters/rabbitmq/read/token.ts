// Whose turn it is to read a stream, and from where: one message, the token, in a quorum queue with a single active
// consumer, `ugc.position.<group>.<topic>`. Who holds the token unacknowledged owns the stream, and the token says what is
// passed. A holder that dies, hangs past its heartbeat or lets go is followed by the next consumer, with the same token.
// - a position is stored by putting a new token and, once that is confirmed and delivered, acknowledging the old: in
//   between a crash leaves two, of which the one that is further counts
// - each that joins puts a token that says nothing, in case there is none yet; the holder takes them away
// - a holder that has lost its turn has lost its connection or channel, and stores nothing any more
// - a token that no queue takes is returned (mandatory), and confirmed all the same: it is not stored

import { createHash } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { PipelineError } from '../../../errors.ts';
import type { Logger } from '../../../process/telemetry.ts';
import type { Connection } from '../connect/connection.ts';
import { declarePositions, dropUnsettled, markSettled } from './position-queue.ts';
import { consuming, NoLeader } from './queue.ts';

export interface Position {
  /** Streams that were made anew under this name, so far. */
  readonly log: number;
  /** The offset behind the last record that is passed; 0 = none is. */
  readonly next: number;
  /** Of the bytes of that record: another stream has another there. '' = not known. */
  readonly sha1: string;
}

export interface Token {
  readonly position: Position;
  /** Resolves once it is kept. */
  store(position: Position): Promise<void>;
  /** Resolves once it is another's. */
  readonly over: Promise<PipelineError>;
  /** Gives it to the next. */
  release(): Promise<void>;
}

const nothing: Position = { log: 0, next: 0, sha1: '' };

export const sha1Of = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('base64url');

export interface Taking {
  readonly queue: string;
  readonly settledMs: number;
  readonly logger: Logger;
  /** We are in the row for it. */
  readonly onWaiting: () => void;
}

/** Resolves once it is our turn; rejects when the channel ends before. */
export async function takeToken(connection: Connection, taking: Taking): Promise<Token> {
  const { queue, onWaiting } = taking;
  const { channel, over: ended, close } = await connection.confirmChannel();
  const turn = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<PipelineError>();
  let held: { readonly message: ConsumeMessage; readonly position: Position } | null = null;
  void ended.then(error => {
    lost.resolve(error);
    turn.reject(error);
  });
  turn.promise.catch(() => {});
  // The server tells it before it confirms.
  const returned = new Set<string>();
  channel.on('return', ({ properties }) => returned.add(String(properties.messageId)));
  let puts = 0;

  /** Resolves once it is kept. */
  function put(position: Position): Promise<void> {
    const messageId = String(++puts);
    return new Promise((resolve, reject) => {
      void ended.then(reject);
      const content = Buffer.from(JSON.stringify(position));
      channel.publish('', queue, content, { persistent: true, mandatory: true, messageId }, failure => {
        if (failure !== null) reject(failure);
        else if (returned.delete(messageId)) reject(new PipelineError('log_unavailable', `no queue ${queue} took it`));
        else resolve();
      });
    });
  }

  function take(message: ConsumeMessage | null): void {
    if (message === null) {
      lost.resolve(new PipelineError('log_unavailable', `the queue ${queue} was deleted`));
      return;
    }
    const position = readPosition(message.content);
    if (held !== null && isBefore(position, held.position)) channel.ack(message);
    else {
      if (held !== null) channel.ack(held.message);
      held = { message, position };
    }
    turn.resolve();
  }

  try {
    await declarePositions(connection, { channel, queue });
    await consuming(channel, queue, take);
    markSettled(connection, { ...taking, until: lost.promise });
    await put(nothing);
    onWaiting();
    await turn.promise;
  } catch (error) {
    // It would take the token, and nobody would have it.
    void close();
    if (error instanceof NoLeader) await dropUnsettled(connection, taking);
    throw error;
  }
  return {
    get position() {
      return held!.position;
    },
    store: put,
    over: lost.promise,
    // A channel that ends gives back what it held.
    release: close,
  };
}

/** A strange message in it is as good as none. */
function readPosition(content: Buffer): Position {
  try {
    const { log, next, sha1 } = JSON.parse(content.toString()) as Partial<Position>;
    if (Number.isSafeInteger(log) && Number.isSafeInteger(next) && typeof sha1 === 'string')
      return { log: log!, next: next!, sha1 };
  } catch {
    // not JSON
  }
  return nothing;
}

const isBefore = (one: Position, other: Position): boolean =>
  one.log < other.log || (one.log === other.log && one.next < other.next);
