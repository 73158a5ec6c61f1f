// One topic's connection of the WebSocket API. Records go out in order, so many under way at a time.
// - an outcome is good when Pulsar has answered with a message id: its proxy was seen to say `ok` of what it had thrown away
// - fewer are under way than the proxy's own queue holds, so that it has no reason to throw any away
// - nothing is tried again here; an answer that does not come is `log_unknown`, what was never sent `log_unavailable`
// - a topic without a subscription keeps nothing: it is asked for before, at each connection

import { messageOf, PipelineError } from '../../../errors.ts';
import type { Envelope } from '../../../ports/log.ts';
import type { Admin } from '../connect/admin.ts';
import type { ReadyOptions } from '../connect/options.ts';
import { openSocket, type Socket } from '../connect/socket.ts';

export interface Producer {
  add(record: QueuedRecord): void;
  close(): Promise<void>;
}

export interface QueuedRecord {
  readonly envelope: Envelope;
  settle(error: PipelineError | null): void;
}

interface Sent extends QueuedRecord {
  /** Of performance.now(). */
  readonly atMs: number;
}

/** The server's queue holds twice as many. */
const inFlightMax = 500;
const serverQueue = inFlightMax * 2;

export function pulsarProducer(options: ReadyOptions, admin: Admin, topic: string): Producer {
  const path = `producer/persistent/${options.namespace}/${encodeURIComponent(topic)}?sendTimeoutMillis=${options.requestTimeoutMs}&maxPendingMessages=${serverQueue}&batchingEnabled=false`;
  const subject = `topic ${topic}`;
  let waiting: Sent[] = [];
  const inFlight = new Map<string, Sent>();
  let socket: Socket | null = null;
  let isOpen = false;
  let isOpening = false;
  let isClosed = false;
  /** Of the opening that counts: one that was given up meanwhile opens nothing, and fails nothing of the next. */
  let turn = 0;
  let sequence = 0;
  let watch: ReturnType<typeof setTimeout> | null = null;

  async function open(): Promise<void> {
    isOpening = true;
    const mine = ++turn;
    try {
      const subscriptions = await admin.subscriptions(topic);
      if (subscriptions === null) throw new PipelineError('log_halted', `${subject} does not exist`, missing);
      if (subscriptions.length === 0)
        throw new PipelineError('log_halted', `${subject} has no subscription, so Pulsar would keep nothing`, missing);
    } catch (error) {
      if (mine === turn)
        fail(error instanceof PipelineError ? error : new PipelineError('log_unavailable', messageOf(error)));
      return;
    }
    if (isClosed || mine !== turn) return;
    socket = openSocket(options, path, {
      opened() {
        isOpening = false;
        isOpen = true;
        send();
      },
      received: answered,
      ended: ({ code, message }) =>
        fail(new PipelineError(code, `${subject}: ${message}`, code === 'log_halted' ? missing : {})),
    });
  }

  /** What was sent may be stored. */
  function fail(error: PipelineError): void {
    turn++;
    isOpen = false;
    isOpening = false;
    socket = null;
    const [unsent, sent] = [waiting, [...inFlight.values()]];
    waiting = [];
    inFlight.clear();
    for (const record of sent)
      record.settle(new PipelineError('log_unknown', `${error.message}; no answer came before that`));
    for (const record of unsent) record.settle(error);
  }

  function send(): void {
    while (isOpen && waiting.length > 0 && inFlight.size < inFlightMax) {
      const record = waiting.shift()!;
      const context = String(++sequence);
      inFlight.set(context, record);
      socket!.send(frameOf(record.envelope, context));
    }
  }

  function answered({ result, messageId, context, errorMsg }: Readonly<Record<string, unknown>>): void {
    const record = inFlight.get(String(context));
    if (record === undefined) return;
    inFlight.delete(String(context));
    const isStored = result === 'ok' && typeof messageId === 'string' && messageId !== '';
    record.settle(isStored ? null : errorOf(subject, `${errorMsg ?? result}`));
    send();
  }

  /** One timer for all: the oldest has waited longest. */
  function look(): void {
    watch = null;
    const oldest = inFlight.values().next().value ?? waiting[0];
    if (oldest === undefined) return;
    const waitedMs = performance.now() - oldest.atMs;
    if (waitedMs < options.requestTimeoutMs) {
      watch = setTimeout(look, options.requestTimeoutMs - waitedMs + 1);
      return;
    }
    socket?.drop();
    fail(
      new PipelineError(
        'log_unavailable',
        `${subject}: ${options.url} has not answered within ${Math.round(waitedMs)} ms`,
      ),
    );
  }

  return {
    add(record) {
      waiting.push({ ...record, atMs: performance.now() });
      watch ??= setTimeout(look, options.requestTimeoutMs);
      if (isOpen) send();
      else if (!isOpening) void open();
    },
    async close() {
      isClosed = true;
      if (watch !== null) clearTimeout(watch);
      const last = socket;
      fail(new PipelineError('shutting_down'));
      await last?.close();
    },
  };
}

/** Other topics go on. */
const missing = { isOfPart: true };

/** The length of everything but the payload and the key, and more. */
const frameOverhead = 400;

/** More bytes than a record's frame will have, but for a key full of escapes. */
export const frameBytesOf = ({ body, key, type }: Envelope): number =>
  frameOverhead + Math.ceil(Buffer.byteLength(body) / 3) * 4 + Buffer.byteLength(key ?? '') * 2 + type.length;

function frameOf({ body, key, type, version, receivedAtMs }: Envelope, context: string): string {
  const payload = Buffer.from(body).toString('base64');
  const ofKey = key === null ? '' : `"key":${JSON.stringify(key)},`;
  const ofVersion = version === 0 ? '' : `,"schema_version":"${version}"`;
  return `{"payload":"${payload}",${ofKey}"properties":{"event_type":${JSON.stringify(type)}${ofVersion},"received_at_ms":"${receivedAtMs}"},"context":"${context}"}`;
}

/** Of what Pulsar has answered of one record. */
function errorOf(subject: string, words: string): PipelineError {
  const said = `${subject}: Pulsar answered ${words}`;
  if (/queue.*full/i.test(words)) return new PipelineError('log_unavailable', said);
  if (/size.*(exceed|larger|bigger)|InvalidMessage|too large/i.test(words))
    return new PipelineError('log_refused', said);
  if (/not authorized|authorization|terminated|incompatible schema/i.test(words))
    return new PipelineError('log_halted', said);
  return new PipelineError('log_unknown', said);
}
