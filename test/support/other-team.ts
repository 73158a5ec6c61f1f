// Another team that writes to our topics past the edge: good events, events that no one accepts, and
// some that are too large for the etl of this test until somebody replays them under the usual limit.

import type { EtlBroker, Value } from './etl-broker.ts';
import { type ClientEvent, clientEvent, typeOf } from './events.ts';
import type { Ledger } from './load.ts';
import type { Random } from './random.ts';

/** What the etl of this test takes of a foreign record, and more than that. */
export const foreignBytesMax = 4_096;
const padding = 'x'.repeat(2 * foreignBytesMax);

export interface OtherTeamOptions {
  readonly broker: Pick<EtlBroker, 'write'>;
  readonly random: Random;
  readonly ledger: Ledger;
  /** Topic of an event type, for the types it writes. */
  readonly topics: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

/** What can never be a row; each with what tells it from the others, where it can hold that. */
const poison: readonly ((random: Random) => Value)[] = [
  () => null,
  () => '',
  random => `{"event_type":"click","timesta${random.between(0, 1e9)}`,
  random => JSON.stringify([random.between(0, 1e9)]),
  random => Buffer.from([0xff, 0xfe, 0x0a, 0x00, random.between(0, 255)]),
  random => JSON.stringify({ ...clientEvent(random), event_type: 'no_such_thing' }),
  random => JSON.stringify({ ...clientEvent(random), country: 5 }),
  random => JSON.stringify({ ...clientEvent(random), timestamp: '9999-99-99' }),
];

/** Writes a few records now and then until aborted, the broker permitting. What it has acked is in the ledger as acked. */
export async function otherTeam({ broker, random, ledger, topics, signal }: OtherTeamOptions): Promise<void> {
  while (!signal.aborted) {
    const [type, topic] = random.pick([...topics]);
    const events = Array.from({ length: random.between(0, 3) }, () => eventOf(type, random));
    for (const { event_id } of events) ledger.sent.set(event_id, 1);
    const values: Value[] = events.map(event => JSON.stringify(event));
    for (let bad = random.between(0, 2); bad > 0; bad--)
      values.splice(random.between(0, values.length), 0, random.pick(poison)(random));
    try {
      if (values.length > 0) await broker.write(topic, values);
      for (const event of events) ledger.acked.set(event.event_id, typeOf(event));
    } catch {
      // it may be there or not: nothing was promised
    }
    await Bun.sleep(random.between(50, 400));
  }
}

function eventOf(type: string, random: Random): ClientEvent {
  for (;;) {
    const event = clientEvent(random);
    if (typeOf(event) !== type) continue;
    return random.next() < 0.2 ? { ...event, properties: { padding } } : event;
  }
}
