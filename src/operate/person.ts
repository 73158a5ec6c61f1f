// A person as commands are told of one, and what of them lies where no table is: in the disk buffer and its quarantine.

import { existsSync } from 'node:fs';
import { hashOf, type PersonIds } from '../adapters/clickhouse/ask/person.ts';
import type { Config } from '../config/config.ts';
import { text } from '../config/kinds.ts';
import type { BufferFile } from '../ports/buffer-file.ts';
import type { Buffers } from './buffer.ts';

export const personFlags = {
  userId: text({ default: '', takes: 'an id', help: 'The person, as user_id and the sub of tokens have it' }),
  anonymousId: text({
    default: '',
    takes: 'ids, several with commas',
    help: 'Devices and visitors that are the same person: their rows that have no user',
  }),
};

/** Null: nobody is named. */
export function readPerson(flags: { readonly userId: string; readonly anonymousId: string }): PersonIds | null {
  const visitors = [...new Set(flags.anonymousId.split(',').map(id => id.trim()))].filter(id => id !== '');
  const users = flags.userId === '' ? [] : [flags.userId];
  return users.length + visitors.length === 0 ? null : { users, visitors };
}

/** How papers about a person call them that outlive the person's data. */
export const pseudonymsOf = ({ users, visitors }: PersonIds): string[] =>
  [...users, ...visitors].map(id => `sha256:${hashOf(id)}`);

export interface HeldInBuffer {
  /** Not passed by every reader: they become rows, or have just become some. */
  readonly waiting: number;
  readonly quarantined: number;
}

/** Zeroes where there is no buffer. Throws what reading one throws. */
export function heldInBuffer(person: PersonIds, config: Config, buffers: Pick<Buffers, 'path' | 'read'>): HeldInBuffer {
  if (!existsSync(buffers.path(config))) return { waiting: 0, quarantined: 0 };
  const file = buffers.read(config);
  try {
    const isOf = matcherOf(person);
    const isPassed = passedIn(file);
    let [waiting, quarantined] = [0, 0];
    for (const { topic, position, body } of file.records({}, () => {}))
      if (isOf(body) && !isPassed(topic, position)) waiting++;
    for (const { raw } of file.quarantined({})) if (isOf(raw)) quarantined++;
    return { waiting, quarantined };
  } finally {
    file.close();
  }
}

/** What every reader has passed only lies there until it is swept. */
function passedIn(file: BufferFile): (topic: string, position: number) => boolean {
  const readers = file
    .stat()
    .readers.map(({ topics }) => new Map(topics.map(({ topic, position }) => [topic, position ?? 0])));
  return (topic, position) => readers.length > 0 && readers.every(reader => position <= (reader.get(topic) ?? 0));
}

/** Whether the bytes of an event are of the person. Most are told apart without being read. */
export function matcherOf({ users, visitors }: PersonIds): (body: Uint8Array) => boolean {
  const spellings = [...users, ...visitors].map(id => Buffer.from(JSON.stringify(id).slice(1, -1)));
  const isUser = (value: unknown): boolean => users.includes(textOf(value));
  return body => {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (!spellings.some(spelling => bytes.includes(spelling))) return false;
    let event: Readonly<Record<string, unknown>>;
    try {
      event = JSON.parse(bytes.toString());
    } catch {
      return true; // of what cannot be read the bytes count
    }
    const { user_id: user, previous_id: previous, anonymous_id: visitor } = event ?? {};
    return isUser(user) || isUser(previous) || (textOf(user) === '' && visitors.includes(textOf(visitor)));
  };
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
