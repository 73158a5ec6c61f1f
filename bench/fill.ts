// A log filled as an edge would have written it, without an edge: film events judged and stamped once, then written again
// and again under ids of their own.

import { catalogue } from '../schemas/catalogue.ts';
import { topicOf } from '../schemas/topic.ts';
import { judgeOf } from '../src/catalogue/judge.ts';
import type { Envelope, Log } from '../src/ports/log.ts';
import { parseJson } from '../src/record/json.ts';
import { bodiesOf, filmTypes } from './load.ts';

export interface Filled {
  /** The pattern of their topics, of this filling alone. */
  readonly topic: string;
  readonly events: number;
  /** Of their bodies, each with a line break. */
  readonly bytes: number;
}

export interface Filling {
  readonly log: Log;
  readonly topic: string;
  readonly events: number;
  /** Of a log that holds less under way than the default. */
  readonly callEvents?: number;
}

const distinct = 5_000;
const callsAtOnce = 4;

/** Their stamp begins with it: `{"event_id":"`. */
const idAt = 13;
const idLength = 36;

/** Topics of the types that are written. */
export const filledTopics = (topic: string): readonly string[] => [
  ...new Set(catalogue.types.filter(({ name }) => filmTypes.has(name)).map(type => topicOf(topic, type))),
];

/** The topics must be there. Closes the log. */
export async function fill({ log, topic, events, callEvents = 5_000 }: Filling): Promise<Filled> {
  const known = envelopesOf(topic);
  let bytes = 0;
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < events) {
      const from = next;
      next = Math.min(events, from + callEvents);
      const envelopes = Array.from({ length: next - from }, (_, at) => again(known[(from + at) % known.length]!));
      for (const { body } of envelopes) bytes += Buffer.byteLength(body) + 1;
      const failed = (await log.publish(envelopes)).find(outcome => !outcome.ok);
      if (failed !== undefined && !failed.ok) throw failed.error;
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, write));
  await log.close();
  return { topic, events, bytes };
}

function again(envelope: Envelope): Envelope {
  const id = Bun.randomUUIDv7();
  return { ...envelope, id, body: envelope.body.slice(0, idAt) + id + envelope.body.slice(idAt + idLength) };
}

function envelopesOf(topic: string): Envelope[] {
  const judge = judgeOf({
    catalogue,
    topic,
    eventBytesMax: 65_536,
    jsonDepthMax: 16,
    eventAgeMaxDays: 1_825,
    eventFutureMaxHours: 24,
    unknownFields: 'reject',
  });
  return bodiesOf(1, distinct).map(body => {
    const verdict = judge(parseJson(body), {
      receivedAtMs: Date.now(),
      source: 'web',
      ip: '203.0.113.7',
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
      pathType: null,
      sentAt: undefined,
    });
    if (!verdict.ok) throw new Error(`a film event is refused: ${JSON.stringify(verdict)}`);
    return verdict.envelope;
  });
}
