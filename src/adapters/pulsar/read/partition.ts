// One partition of a topic, read by a Failover subscription in pull mode: so many records are asked for as there is room, one
// consumer at a time is given them, in order.
// - a record is acknowledged alone, once the mover has it as a row: whoever says so is right, so that a consumer that has been
//   stopped for a while and goes on does no harm
// - whatever is not acknowledged comes again, to this or another consumer. What comes again and is still in hand here is passed
//   over; what was acknowledged on a connection that died comes twice, and is the same row
// - an acknowledgement waits for the connection if there is none
// - Pulsar's WebSocket service gathers acknowledgements for a tenth of a second, and may lose those that a consumer is closed
//   over (seen with 4.0.0): so a connection is closed a while after the last one, or the next consumer would be given them again

import type { PipelineError } from '../../../errors.ts';
import type { ReadyOptions } from '../connect/options.ts';
import { openSocket, type Socket } from '../connect/socket.ts';
import { consumerPath } from '../connect/subscribe.ts';
import { type Gathered, gather } from './gather.ts';
import { type Message, messageOf } from './message.ts';
import { betterPriority, usualPriority } from './stall.ts';

export interface ReadPartition {
  readonly topic: string;
  readonly partition: number;
  /** At least one record, if one is there, and no more than so many bytes. */
  take(bytesMax: number): readonly Gathered[];
  /** These have become rows. */
  acknowledge(ids: readonly string[]): void;
  readonly isEmpty: boolean;
  /** It has given all it got, and all of that is acknowledged. */
  readonly isIdle: boolean;
  /** As Pulsar calls the consumer it has just now: another one for each connection, as one may outlive its connection there. */
  readonly consumer: string;
  /** Connects anew, before all others. */
  takeOver(): void;
  close(): Promise<void>;
}

export interface PartitionOptions {
  readonly connection: ReadyOptions;
  readonly topic: string;
  readonly partition: number;
  /** The topic of its own that the partition is in Pulsar. */
  readonly name: string;
  readonly subscription: string;
  /** In front of the name of each of its consumers. */
  readonly consumer: string;
  readonly onReady: () => void;
  /** Why it is not read now, or null: it is again. */
  readonly onTrouble: (error: PipelineError | null) => void;
  readonly isWorthOpening: () => Promise<PipelineError | null>;
}

/** Records asked for and not yet polled. */
const windowMax = 500;
/** Well over the tenth of a second for which acknowledgements are gathered. */
const gatheredMsMax = 300;
const retryMsMin = 100;
const retryMsMax = 3_000;

export function readPartition(options: PartitionOptions): ReadPartition {
  const { connection, topic, partition, name, subscription, consumer, onReady, onTrouble } = options;
  const path = `${consumerPath(connection, { name, subscription })}&receiverQueueSize=${windowMax}`;
  let connections = 0;
  let priority = usualPriority;
  const consumerName = (): string => `${consumer}-${connections}`;
  let ready: Message[] = [];
  /** Read here and not acknowledged. */
  const inHand = new Set<string>();
  let unsent: string[] = [];
  /** Acknowledged behind the beginning of this connection, which may bring them all the same. */
  let passed: ReadonlySet<string> = new Set();
  /** Asked for on this connection, and not yet come. */
  let asked = 0;
  let socket: Socket | null = null;
  let isOpen = false;
  let isClosed = false;
  let acknowledgedAtMs = Number.NEGATIVE_INFINITY;
  let waitMs = retryMsMin;
  let retry: ReturnType<typeof setTimeout> | null = null;

  async function open(): Promise<void> {
    retry = null;
    const error = await options.isWorthOpening();
    if (isClosed) return;
    if (error !== null) {
      ended(error);
      return;
    }
    connections++;
    const named = `${path}&priorityLevel=${priority}&consumerName=${encodeURIComponent(consumerName())}`;
    socket = openSocket(connection, named, { opened, received, ended });
  }

  function opened(): void {
    isOpen = true;
    asked = 0;
    waitMs = retryMsMin;
    onTrouble(null);
    const ids = unsent;
    unsent = [];
    passed = new Set(ids);
    acknowledge(ids);
    ask();
  }

  function ended(error: PipelineError): void {
    isOpen = false;
    socket = null;
    if (isClosed) return;
    onTrouble(error);
    retry = setTimeout(() => void open(), waitMs);
    waitMs = Math.min(waitMs * 2, retryMsMax);
  }

  /** In halves of the window, so that not every record is a question. */
  function ask(): void {
    const room = windowMax - asked - ready.length;
    if (!isOpen || room < windowMax / 2) return;
    asked += room;
    socket!.send(`{"type":"permit","permitMessages":${room}}`);
  }

  function received(frame: Readonly<Record<string, unknown>>): void {
    const message = messageOf(frame);
    if (message === null || isClosed) return;
    asked--;
    if (passed.has(message.id))
      socket?.send(`{"messageId":"${message.id}"}`); // it was not told, or did not keep it
    else if (!inHand.has(message.id)) {
      inHand.add(message.id);
      ready.push(message);
      onReady();
    }
    ask();
  }

  function acknowledge(ids: readonly string[]): void {
    for (const id of ids) {
      if (!isOpen) unsent.push(id);
      else if (inHand.delete(id)) socket!.send(`{"messageId":"${id}"}`);
    }
    acknowledgedAtMs = performance.now();
  }

  void open();
  return {
    topic,
    partition,
    get isEmpty() {
      return ready.length === 0;
    },
    take(bytesMax) {
      let count = 0;
      for (let bytes = 0; count < ready.length; count++) {
        bytes += ready[count]!.value.length + 1;
        if (count > 0 && bytes > bytesMax) break;
      }
      const batches = gather(ready.slice(0, count));
      ready = ready.slice(count);
      ask();
      return batches;
    },
    acknowledge,
    get isIdle() {
      return inHand.size === 0;
    },
    get consumer() {
      return consumerName();
    },
    takeOver() {
      priority = betterPriority(Date.now());
      if (socket === null) return; // the next connection has it
      const last = socket;
      isOpen = false;
      socket = null;
      void last.close().then(() => {
        if (!isClosed) void open();
      });
    },
    async close() {
      isClosed = true;
      if (retry !== null) clearTimeout(retry);
      ready = [];
      if (isOpen) await Bun.sleep(Math.max(0, acknowledgedAtMs + gatheredMsMax - performance.now()));
      await socket?.close();
    },
  };
}
