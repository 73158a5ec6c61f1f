// RabbitMQ as the log the edge writes to: AMQP 0-9-1 with publisher confirms, many under way at once on one channel.
// - an outcome is good when the server has confirmed the record (basic.ack) and has not returned it: what no queue takes
//   is returned first (mandatory) and confirmed then, and is not stored
// - a server that takes nothing (connection.blocked: an alarm of memory or disk) is told from one that is away, and is
//   not written to meanwhile
// - what was sent and has no confirm when the connection ends, or after requestTimeoutMs, has an unknown outcome
// - what is larger than the server takes (max_message_size) is refused for good; it ends the channel once, and is held back
//   from then on
// - nothing is tried again here, the caller has a disk; what waits is counted in bytes and has an end

import type { ConfirmChannel, Message } from 'amqplib';
import { PipelineError } from '../../../errors.ts';
import { type Envelope, type Log, type Outcome, outcomesAs } from '../../../ports/log.ts';
import { gather } from '../../../process/gather.ts';
import { waitingBytes } from '../../../process/waiting-bytes.ts';
import { type Connection, openConnection } from '../connect/connection.ts';
import { errorOfRabbitmq, largestTakenIn } from '../connect/error.ts';
import { logDefaults, type RabbitmqLogOptions } from '../connect/options.ts';

const outcomeOf = outcomesAs('rabbitmq');

interface UnderWay {
  readonly bytes: number;
  readonly sentAtMs: number;
  settle(error: PipelineError | null): void;
}

/** An open channel, and what was sent on it and has no answer yet, in the order it was sent in. */
interface Line {
  readonly connection: Connection;
  readonly channel: Omit<ConfirmChannel, 'close'>;
  readonly underWay: Set<UnderWay>;
  /** How often each record that no queue takes was returned and not yet confirmed, by `placeOf`. */
  readonly returned: Map<string, number>;
}

const lookMs = 250;

export function rabbitmqLog(given: RabbitmqLogOptions): Log {
  const options = { ...logDefaults, ...given };
  const { settling } = options;
  let line: Line | null = null;
  let opening: Promise<Line> | null = null;
  let turn = 0;
  const queued = waitingBytes(options.queueBytesMax);
  /** Of one event, as far as the server has said. */
  let eventBytesMax = Number.POSITIVE_INFINITY;
  let closed: Promise<void> | undefined;

  function open(): Promise<Line> {
    opening ??= openLine().finally(() => {
      opening = null;
    });
    return opening;
  }

  async function openLine(): Promise<Line> {
    const connection = await openConnection(options, turn++);
    try {
      const { channel, over } = await connection.confirmChannel();
      const opened: Line = { connection, channel, underWay: new Set(), returned: new Map() };
      channel.on('return', message => count(opened.returned, placeOf(message), 1));
      const looking = setInterval(lookAt, lookMs, opened);
      void over.then(error => {
        clearInterval(looking);
        if (line === opened) line = null;
        connection.drop(error);
        eventBytesMax = largestTakenIn(error.cause) ?? eventBytesMax;
        for (const record of opened.underWay) record.settle(tooLarge(record.bytes) ?? unknownAfter(error));
      });
      line = opened;
      return opened;
    } catch (thrown) {
      const error = errorOfRabbitmq(thrown, 'before sending', connection.address);
      connection.drop(error);
      throw error;
    }
  }

  /** A server that takes nothing for an alarm says when it is over; one that says nothing at all is given up. */
  function lookAt({ connection, underWay }: Line): void {
    const { requestTimeoutMs } = options;
    const blocked = connection.blocked();
    for (const record of underWay) {
      if (performance.now() - record.sentAtMs <= requestTimeoutMs) return;
      const why =
        blocked === null ? `has not confirmed within ${requestTimeoutMs} ms` : `takes nothing now: ${blocked}`;
      const error = new PipelineError('log_unknown', `${connection.address} ${why}`);
      if (blocked === null) connection.drop(error);
      record.settle(error);
    }
  }

  function publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    return gather<Outcome>(envelopes.length, settle => {
      for (let index = 0; index < envelopes.length; index++) {
        const envelope = envelopes[index]!;
        const bytes = Buffer.byteLength(envelope.body);
        const error = refusalOf(bytes, envelope.topic);
        if (error === null) take(envelope, bytes, answer => settle(index, outcomeOf(answer)));
        else settle(index, outcomeOf(error));
      }
    });
  }

  function refusalOf(bytes: number, topic: string): PipelineError | null {
    if (closed !== undefined) return new PipelineError('shutting_down');
    if (settling.size > 0 && settling.has(topic))
      return new PipelineError('log_unavailable', `the queue ${topic} has just been made, and is left to settle`);
    const refused = tooLarge(bytes);
    if (refused !== null || queued.fits(bytes)) return refused;
    return new PipelineError('log_unavailable', `${queued.bytes} bytes already wait for RabbitMQ`);
  }

  const tooLarge = (bytes: number): PipelineError | null =>
    bytes <= eventBytesMax
      ? null
      : new PipelineError(
          'log_refused',
          `the event is larger than RabbitMQ takes (${bytes} bytes, max_message_size is ${eventBytesMax})`,
        );

  function take(envelope: Envelope, bytes: number, answer: (error: PipelineError | null) => void): void {
    queued.add(bytes);
    const done = (error: PipelineError | null): void => {
      answer(error);
      queued.remove(bytes);
    };
    if (line !== null) send(line, envelope, { bytes, done });
    else
      open().then(
        opened => send(opened, envelope, { bytes, done }),
        error => done(error as PipelineError),
      );
  }

  function send(
    to: Line,
    { id, type, topic, body, receivedAtMs }: Envelope,
    { bytes, done }: { readonly bytes: number; readonly done: (error: PipelineError | null) => void },
  ): void {
    const blocked = to.connection.blocked();
    if (blocked !== null) {
      done(new PipelineError('log_unavailable', `${to.connection.address} takes nothing now: ${blocked}`));
      return;
    }
    const record: UnderWay = {
      bytes,
      sentAtMs: performance.now(),
      settle(error) {
        if (to.underWay.delete(record)) done(error);
      },
    };
    to.underWay.add(record);
    const sent = {
      mandatory: true,
      persistent: true,
      messageId: id,
      type,
      contentType: 'application/json',
      timestamp: Math.floor(receivedAtMs / 1_000),
    };
    try {
      to.channel.publish('', topic, Buffer.from(body), sent, failure => {
        // Of a channel that is over each of its records is told by `over`, with the reason.
        if (failure === null || isNack(failure)) record.settle(confirmed(to, topic, id, failure));
      });
    } catch (thrown) {
      // The channel ended a moment ago: nothing was sent.
      record.settle(errorOfRabbitmq(thrown, 'before sending', to.connection.address));
    }
  }

  async function end(): Promise<void> {
    await queued.whenNone(options.closeMsMax);
    const last = line ?? (await opening?.catch(() => null));
    for (const record of last?.underWay ?? [])
      record.settle(new PipelineError('log_unknown', 'closed before RabbitMQ had confirmed it'));
    await last?.connection.close();
  }

  return { publish, close: () => (closed ??= end()) };
}

/** What the server's answer for one record means. */
function confirmed({ connection, returned }: Line, topic: string, id: string, failure: unknown): PipelineError | null {
  if (failure !== null)
    return new PipelineError('log_unavailable', `${connection.address} could not store it in ${topic} (basic.nack)`);
  if (returned.size === 0 || !count(returned, `${topic} ${id}`, -1)) return null;
  return new PipelineError('log_halted', `${connection.address} has no queue ${topic}: the event was returned`);
}

/** What was under way may be stored, though another record ended the channel. */
const unknownAfter = (error: PipelineError): PipelineError =>
  largestTakenIn(error.cause) === null
    ? error
    : new PipelineError('log_unknown', 'the channel was ended for another event', { cause: error });

const isNack = (failure: unknown): boolean => failure instanceof Error && failure.message === 'message nacked';

const placeOf = ({ fields, properties }: Message): string => `${fields.routingKey} ${properties.messageId}`;

/** False when it would fall below nothing. */
function count(counts: Map<string, number>, key: string, more: 1 | -1): boolean {
  const sum = (counts.get(key) ?? 0) + more;
  if (sum < 0) return false;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
  return true;
}
