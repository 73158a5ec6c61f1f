// Where one event lies in Pulsar: partition after partition is read from a time, or from what Pulsar has first, up to what was
// its last record when the search began. By a reader, which leaves no subscription behind.

import { PipelineError } from '../../../errors.ts';
import { bodyStart } from '../../../record/stamp.ts';
import { type Admin, pulsarAdmin } from '../connect/admin.ts';
import { type PulsarOptions, partitionName, pulsarDefaults, type ReadyOptions } from '../connect/options.ts';
import { openSocket } from '../connect/socket.ts';
import { idBefore, type Message, messageOf, positionOfPlace } from './message.ts';

export interface PulsarRecord {
  readonly topic: string;
  readonly partition: number;
  /** As Pulsar writes it: ledger, entry and partition, in base64. */
  readonly message_id: string;
  readonly body: string;
}

export interface SearchOptions extends PulsarOptions {
  readonly id: string;
  readonly topics: readonly string[];
  /** Epoch milliseconds; null = from the first record there is. */
  readonly sinceMs: number | null;
}

/** Rejects with a PipelineError where Pulsar cannot be read to the end. */
export async function searchPulsar(given: SearchOptions): Promise<readonly PulsarRecord[]> {
  const options = { ...pulsarDefaults, ...given };
  const admin = pulsarAdmin(options);
  const start = bodyStart(options.id);
  const found: PulsarRecord[] = [];
  for (const topic of options.topics) {
    const partitions = await admin.partitions(topic);
    if (partitions === null) continue;
    for (let partition = 0; partition < Math.max(1, partitions); partition++) {
      const name = partitionName(topic, partition, partitions);
      await readThrough(options, admin, name, ({ id, value }) => {
        const body = value.toString();
        if (body.startsWith(start)) found.push({ topic, partition, message_id: id, body });
      });
    }
  }
  return found;
}

const queue = 500;

async function readThrough(
  options: ReadyOptions & { readonly sinceMs: number | null },
  admin: Admin,
  name: string,
  take: (message: Message) => void,
): Promise<void> {
  const last = await admin.lastMessage(name);
  if (last === null) return;
  const first = options.sinceMs === null ? null : await admin.messageAt(name, options.sinceMs);
  const end = positionOfPlace(last);
  if (first !== null && positionOfPlace(first) > end) return;
  const from = first === null ? 'earliest' : encodeURIComponent(idBefore(first));
  const path = `reader/persistent/${options.namespace}/${encodeURIComponent(name)}?messageId=${from}&receiverQueueSize=${queue}`;
  const done = Promise.withResolvers<void>();
  const unread = (why: string): void =>
    done.reject(new PipelineError('log_unavailable', `${name} was not read to its end: ${why}`));
  const late = (): Timer =>
    setTimeout(() => unread(`no record within ${options.requestTimeoutMs} ms`), options.requestTimeoutMs);
  let timer = late();
  const socket = openSocket(options, path, {
    opened() {},
    received(frame) {
      const message = messageOf(frame);
      if (message === null) return;
      clearTimeout(timer);
      take(message);
      // A reader has no position to keep: that only makes room for the next.
      socket.send(`{"messageId":"${message.id}"}`);
      if (message.ends !== null && message.ends >= end) done.resolve();
      else timer = late();
    },
    ended: ({ message }) => unread(message),
  });
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    await socket.close();
  }
}
