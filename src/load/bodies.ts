// Bodies of requests: events written in the shape that was asked for, with their ids and times, some of them broken, some sent
// before. What a server has to say of each is known here: a serial for every good one, `none` for what it has to refuse.

import { gzipSync } from 'node:zlib';
import type { Step } from './journeys.ts';
import { ownPlace, paddingTo, trackPlace } from './padding.ts';
import type { Random } from './random.ts';
import type { RunIds } from './run-ids.ts';

export const shapes = ['single', 'batch', 'ndjson', 'beacon', 'segment'] as const;
export type BodyShape = (typeof shapes)[number];

/** In the place of a serial: an event that has to be refused. */
export const none = -1;

export interface Body {
  readonly bytes: string | Uint8Array;
  /** In the body's order. */
  readonly serials: readonly number[];
}

export interface BodiesOptions {
  readonly shape: BodyShape;
  readonly batch: number;
  readonly gzip: boolean;
  /** Of all events, those that are broken, and those that have been sent before; 0 to 1. */
  readonly badShare: number;
  readonly duplicateShare: number;
  /** Clients' clocks are wrong by up to so much, either way; they send sent_at then. */
  readonly clockSkewMs: number;
  /** An event has at least so many, with padding; 0 = as it is. */
  readonly eventBytes: number;
  readonly ids: RunIds;
  readonly random: Random;
  readonly next: () => Step;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface Bodies {
  next(): Body;
  /** Good events made so far; their serials are 0 to one less. */
  readonly made: number;
  /** The types of those. */
  readonly types: ReadonlySet<string>;
}

/** Events that may come a second time; the last ones, as clients repeat what they have just sent. */
const recentMax = 1_024;

export function bodiesOf(options: BodiesOptions): Bodies {
  const { shape, batch, gzip, badShare, duplicateShare, eventBytes, ids, random, now } = options;
  const recent: { readonly serial: number; readonly text: string }[] = [];
  const types = new Set<string>();
  const write = shape === 'segment' ? segmentMessage : ownEvent;
  const padded = eventBytes === 0 ? null : paddingTo(eventBytes, shape === 'segment' ? trackPlace : ownPlace, random);
  const time = timesOf(options);
  let made = 0;
  let [lastMs, nowText] = [0, ''];

  /** Pushes the serial, gives the text. */
  function event(into: number[]): string {
    if (badShare > 0 && random.next() < badShare) {
      into.push(none);
      return broken(random);
    }
    if (duplicateShare > 0 && recent.length > 0 && random.next() < duplicateShare) {
      const again = recent[Math.floor(random.next() * recent.length)]!;
      into.push(again.serial);
      return again.text;
    }
    const step = options.next();
    const serial = made++;
    if (!types.has(step.type)) types.add(step.type);
    const plain = write(step, ids.idOf(serial), time === null ? nowText : time());
    const text = padded === null ? plain : padded(plain);
    into.push(serial);
    if (duplicateShare > 0) recent[serial % recentMax] = { serial, text };
    return text;
  }

  return {
    types,
    get made() {
      return made;
    },
    next() {
      const ms = now();
      if (ms !== lastMs) [lastMs, nowText] = [ms, `"timestamp":"${new Date(ms).toISOString()}"`];
      const serials: number[] = [];
      let text = event(serials);
      const between = shape === 'ndjson' ? '\n' : ',';
      if (shape !== 'single' && shape !== 'beacon')
        for (let more = 1; more < batch; more++) text += between + event(serials);
      if (shape === 'batch') text = `[${text}]`;
      else if (shape === 'segment') text = `{"batch":[${text}]}`;
      return { bytes: gzip ? gzipSync(text, { level: 1 }) : text, serials };
    },
  };
}

const ownEvent = ({ type, user, visitor, country, device, own }: Step, id: string, times: string): string => {
  const users = `"user_id":${user}${visitor === 'null' ? '' : `,"anonymous_id":${visitor}`}`;
  const where = country === '' ? '' : `,"country":"${country}","device":"${device}"`;
  return `{"event_type":"${type}","event_id":"${id}",${times},${users}${where}${own === '' ? '' : `,${own}`}}`;
};

/** A track whose name is the type: its properties become the fields. */
const segmentMessage = ({ type, user, visitor, country, device, own }: Step, id: string, times: string): string =>
  `{"type":"track","event":"${type}","messageId":"${id}",${times},"userId":${user},"anonymousId":${visitor},"properties":{"country":"${country}","device":"${device}"${own === '' ? '' : `,${own}`}}}`;

/** Each is refused for a reason of its own. */
const brokenOnes = [
  '{"event_type":"no_such_type","timestamp":"2026-01-01T00:00:00Z"}',
  '{"event_type":"click","timestamp":"yesterday","country":"US","device":"tv","element":"x","page_url":"https://films.example/"}',
  '{"event_type":"click","timestamp":"2026-01-01T00:00:00Z","country":"US","device":"tv","page_url":7}',
  '{"event_type":"film_opened","timestamp":"2026-01-01T00:00:00Z","country":"US","device":"tv","video_id":"x","position":-1,"duration":"long"}',
  '{"timestamp":"2026-01-01T00:00:00Z"}',
  '7',
];

const broken = (random: Random): string => brokenOnes[Math.floor(random.next() * brokenOnes.length)]!;

/** Null where clocks are right: all of a moment say the same. */
function timesOf({ clockSkewMs, random, now, shape }: BodiesOptions): (() => string) | null {
  if (clockSkewMs === 0) return null;
  const sentAt = shape === 'segment' ? 'sentAt' : 'sent_at';
  return () => {
    const wrong = new Date(now() + Math.round((2 * random.next() - 1) * clockSkewMs)).toISOString();
    return `"timestamp":"${wrong}","${sentAt}":"${wrong}"`;
  };
}
