// The buffer's way back into the broker: reads what lies on the disk, sends it, and passes it once the broker has it.
//
// - Topics do not wait for each other: each has one chunk under way and is not read meanwhile. One that needs repair is
//   tried slowly, the others go on.
// - What the broker refuses for good is set aside in the buffer's quarantine with its reason, and the rest flows.
// - A copy that the broker has acked meanwhile is passed without being sent; one whose answer is open is waited for.
// - What is under way is bounded and sent in slices at the pace of pace.ts, so that live events never queue behind much
//   of it. An empty buffer costs nothing but the buffer's own look for other writers.
// - A full disk takes no position either: what was sent is passed, and what comes is read, once there is room.
// - What only one part of the broker does not take goes behind the rest (stranded.ts).
// - Events go to the topic that events of their type go to now. The one they were accepted for, under another
//   UGC_TOPIC, may be a topic that no mover reads any more.
// - While it is paused nothing more is read; what was read before is sent.
// - A crash repeats events, never skips one.

import { messageOf, PipelineError } from '../errors.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import { type Gate, openGate } from '../ports/flow-control.ts';
import type { Envelope, Log, Outcome } from '../ports/log.ts';
import type { Loop } from '../ports/loop.ts';
import type { PositionedBatch, PositionedSource } from '../ports/source.ts';
import { patiently, sleep, untilAborted } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { idOf } from '../record/stamp.ts';
import type { Breaker } from './breaker.ts';
import type { Copies } from './copies.ts';
import type { Pace } from './pace.ts';
import { strandedOf } from './stranded.ts';

export type Drained = 'sent' | 'taken_back' | 'quarantined';

export interface DrainOptions {
  readonly buffer: DiskBuffer;
  readonly broker: Log;
  readonly breaker: Breaker;
  readonly copies: Copies;
  /** Of what is sent, so that live events keep their latency. */
  readonly pace: Pace;
  /**
   * Where events of a type go now; null = this process does not know the type, and they go where they were accepted
   * for.
   */
  readonly topicOf?: (type: string) => string | null;
  /** Whether anything may leave the buffer now; absent = always. */
  readonly gate?: Pick<Gate, 'isShut' | 'watch'>;
  readonly logger: Logger;
  /** So many events have left the buffer. */
  readonly onDrained: (outcome: Drained, events: number) => void;
  /** A topic needs repair; told each time it has been tried. */
  readonly onHalted?: (topic: string) => void;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
}

export interface Drain extends Loop {
  /** Topics that need repair, with the reason. */
  halted(): ReadonlyMap<string, string>;
}

/** Of one read, and of all that is on its way to the broker. */
const chunkBytesMax = 512 * 1024;
const underWayBytesMax = 2 * chunkBytesMax;
/** Sent at once, by the pace: live events wait behind no more than this on their way to the broker. */
const sliceEvents = 128;

/** A record of the buffer on its way. */
interface Draining {
  readonly envelope: Envelope;
  readonly batch: PositionedBatch;
  readonly index: number;
}

export function startDrain(options: DrainOptions): Drain {
  const { buffer, broker, breaker, copies, pace, gate = openGate, logger, onDrained } = options;
  const { retryMsMin = 100, retryMsMax = 1_000, onHalted = () => {}, topicOf = () => null } = options;
  const source: PositionedSource = buffer.source('drain', { withKeys: true });
  const stopping = new AbortController();
  const underWay = new Map<string, Promise<void>>();
  const halted = new Map<string, string>();
  const stranded = strandedOf({ buffer, pause: () => sleep(retryMsMax, stopping.signal) });
  const moved = new Set<string>();
  let bytesUnderWay = 0;
  /** Aborted when a topic may be read again. */
  let changed = new AbortController();
  let failure: unknown = null;

  gate.watch(() => changed.abort());
  const done = run();
  done.catch(() => {});
  return {
    done,
    halted: () => halted,
    stop: async () => {
      stopping.abort();
      await done.catch(() => {});
    },
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      changed = new AbortController();
      const signal = AbortSignal.any([stopping.signal, changed.signal]);
      const bytesMax = Math.min(chunkBytesMax, underWayBytesMax - bytesUnderWay);
      if (gate.isShut || bytesMax <= 0) await untilAborted(signal);
      else await read(bytesMax, signal);
    }
    await Promise.allSettled(underWay.values());
    await source.close();
    if (failure !== null) throw failure;
  }

  async function read(bytesMax: number, signal: AbortSignal): Promise<void> {
    const paused = new Set(underWay.keys());
    const batches = (await untilRoom(() => source.poll({ paused, bytesMax }, signal))) ?? [];
    for (const [topic, ofTopic] of Map.groupBy(batches, batch => batch.topic)) {
      const delivering = deliver(topic, ofTopic)
        .catch(error => {
          failure ??= error;
          stopping.abort();
        })
        .finally(() => {
          underWay.delete(topic);
          changed.abort();
        });
      underWay.set(topic, delivering);
    }
  }

  /** Resolves when the broker has all of it, or it is set aside, and it is passed; or when stopping. */
  async function deliver(topic: string, batches: readonly PositionedBatch[]): Promise<void> {
    const all = batches.flatMap(batch => recordsOf(batch, topicOf(batch.type!) ?? topic));
    tellMoved(topic, all);
    let rest = await unsent(all);
    for (let retryMs = retryMsMin; rest.length > 0; retryMs = Math.min(retryMs * 2, retryMsMax)) {
      const { left, error, isOfPart } = await send(rest);
      rest = left;
      if (error === null) continue;
      // What needs repair is said and tried where it is: that holds up its own topic alone.
      if (
        isOfPart &&
        error.retry !== 'halt' &&
        (await stranded.putBehind(topic, left.map(toEnvelope), batches.at(-1)!.last))
      )
        break;
      tell(left[0]!.envelope.topic, error);
      await sleep(error.retry === 'halt' ? retryMsMax : retryMs * (0.5 + Math.random()), stopping.signal);
      if (stopping.signal.aborted) return;
    }
    for (const to of new Set(all.map(({ envelope }) => envelope.topic)))
      if (halted.delete(to)) logger.info({ topic: to }, 'the topic takes events again');
    for (const { ack } of batches.slice(-1)) await untilRoom(() => source.commit(ack));
  }

  /** Null when stopping. */
  function untilRoom<T>(ask: () => Promise<T>): Promise<T | null> {
    return patiently(ask, {
      pauseMs: retryMsMax,
      signal: stopping.signal,
      onRefused: error => logger.warn({ err: error }, 'the disk buffer waits for room to note what has left it'),
    });
  }

  /** What the broker has not acked by another way. */
  async function unsent(records: readonly Draining[]): Promise<readonly Draining[]> {
    if (copies.isEmpty) return records;
    const left: Draining[] = [];
    for (const record of records) {
      const known = copies.isAcked(record.envelope);
      if (!(typeof known === 'boolean' ? known : await known)) left.push(record);
    }
    onDrained('taken_back', records.length - left.length);
    return left;
  }

  /** What is to be sent again, and why. */
  async function send(records: readonly Draining[]) {
    const bytes = records.reduce((sum, { envelope }) => sum + envelope.body.length, 0);
    bytesUnderWay += bytes;
    const outcomes = (await Promise.all(slicesOf(records).map(sendSlice))).flat();
    bytesUnderWay -= bytes;
    const left: Draining[] = [];
    const refused: (Draining & { readonly reason: string })[] = [];
    let error: PipelineError | null = null;
    let ofPart = 0;
    records.forEach((record, at) => {
      const outcome = outcomes[at]!;
      if (outcome.ok) return;
      if (outcome.error.retry === 'never') refused.push({ ...record, reason: outcome.error.message });
      else {
        left.push(record);
        error ??= outcome.error;
        if (outcome.error.isOfPart) ofPart++;
      }
    });
    const sent = records.length - left.length - refused.length;
    onDrained('sent', sent);
    try {
      await setAside(refused);
    } catch (thrown) {
      // No room for them there: asked again, and refused again, later.
      left.push(...refused);
      error ??= thrown instanceof PipelineError ? thrown : new PipelineError('buffer_failed', messageOf(thrown));
    }
    return { left, error: error as PipelineError | null, isOfPart: left.length > 0 && ofPart === left.length };
  }

  function sendSlice(slice: readonly Draining[]): Promise<readonly Outcome[]> {
    return pace.send(slice.length, stopping.signal, async () => {
      const sentAtMs = performance.now();
      const outcomes = await broker.publish(slice.map(({ envelope }) => envelope));
      if (outcomes.some(({ ok }) => ok)) breaker.acked(sentAtMs);
      return outcomes;
    });
  }

  async function setAside(refused: readonly (Draining & { readonly reason: string })[]): Promise<void> {
    if (refused.length === 0) return;
    await buffer.setAside(
      refused.map(({ envelope: { type, body }, batch: { topic, last: position }, index, reason }) => ({
        topic,
        type,
        position,
        index,
        reason,
        body,
      })),
    );
    onDrained('quarantined', refused.length);
    logger.error(
      { topic: refused[0]!.envelope.topic, events: refused.length, reason: refused[0]!.reason },
      'the broker refuses events for good: set aside in quarantine; see ugc buffer inspect --quarantine',
    );
  }

  /** Once for each pair of topics. */
  function tellMoved(topic: string, records: readonly Draining[]): void {
    for (const to of new Set(records.map(({ envelope }) => envelope.topic))) {
      if (to === topic || moved.has(`${topic} ${to}`)) continue;
      moved.add(`${topic} ${to}`);
      logger.warn({ from: topic, topic: to }, 'buffered events go to the topic that events of their type go to now');
    }
  }

  function tell(topic: string, error: PipelineError): void {
    if (error.retry !== 'halt') {
      halted.delete(topic);
      logger.debug({ err: error, topic }, 'buffered events will be sent again');
      return;
    }
    if (halted.get(topic) !== error.message)
      logger.error({ err: error, topic }, 'the broker needs repair; the events of this topic wait in the disk buffer');
    halted.set(topic, error.message);
    onHalted(topic);
  }
}

const decoder = new TextDecoder();

function recordsOf(batch: PositionedBatch, topic: string): Draining[] {
  const { version = 0, oldestAtMs: receivedAtMs } = batch;
  const keys: (string | null)[] = JSON.parse(batch.keys!);
  const bodies = decoder.decode(batch.ndjson).split('\n');
  return keys.map((key, index) => {
    const body = bodies[index]!;
    return { batch, index, envelope: { id: idOf(body), type: batch.type!, version, topic, key, body, receivedAtMs } };
  });
}

const toEnvelope = ({ envelope }: Draining): Envelope => envelope;

function slicesOf<T>(items: readonly T[]): (readonly T[])[] {
  const slices: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += sliceEvents) slices.push(items.slice(at, at + sliceEvents));
  return slices;
}
