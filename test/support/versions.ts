// A type that has had three versions, as three binaries would know it, and what an edge of each writes.

import { type Catalogue, catalogueOf } from '../../schemas/catalogue.ts';
import { defineEvent, type EventDefinition, type EventType, type Upgrade } from '../../schemas/event.ts';
import { numbered, text, whole } from '../../schemas/field.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import type { Origin } from '../../src/catalogue/origin.ts';
import type { Envelope } from '../../src/ports/log.ts';
import { judgeOptions, originOf } from './edge.ts';

const chair = text({ about: 'Which seat, as it is written on it' });
const seat = whole({ about: 'Which seat', max: 500 });
const hall = numbered({ about: 'Where', words: { 0: 'unknown', 1: 'red', 2: 'blue' } });

const toSeat: Upgrade = {
  about: '`chair`, a text, became `seat`, a number',
  apply: ({ chair: name, ...record }) => ({ ...record, seat: Number(name) }),
};
const toHall: Upgrade = {
  about: '`hall` is told; of bookings before it is unknown',
  apply: record => ({ ...record, hall: 0 }),
};

const typeOf = (version: 1 | 2 | 3): EventType => {
  const fields = { 1: { chair }, 2: { seat }, 3: { seat, hall } } satisfies Record<number, EventDefinition['fields']>;
  const upgrades = { 1: {}, 2: { 1: toSeat }, 3: { 1: toSeat, 2: toHall } }[version];
  return defineEvent({
    name: 'seat_booked',
    family: 'cinema',
    stream: 'event',
    identity: 'integer',
    version,
    upgrades,
    summary: 'A seat was booked',
    fields: fields[version],
    example: {},
  });
};

/** Something beside it that never changes. */
export const doorOpened = defineEvent({
  name: 'door_opened',
  family: 'cinema',
  stream: 'event',
  version: 1,
  summary: 'A door was opened',
  fields: {},
  example: {},
});

export interface Binary {
  readonly type: EventType;
  readonly catalogue: Catalogue;
  /** The type's version by its name, as the mover knows it. */
  readonly types: ReadonlyMap<string, number>;
  /** What its edge stores. Throws when it is not valid. */
  edge(event: Readonly<Record<string, unknown>>, origin?: Partial<Origin>): Envelope;
}

/** ugc as it was when the type had this version. */
export function binaryOf(version: 1 | 2 | 3): Binary {
  const type = typeOf(version);
  const catalogue = catalogueOf([type, doorOpened]);
  const judge = judgeOf({ ...judgeOptions, catalogue });
  return {
    type,
    catalogue,
    types: new Map(catalogue.types.map(known => [known.name, known.version])),
    edge(event, origin) {
      const verdict = judge(event, originOf(origin));
      if (!verdict.ok) throw new Error(JSON.stringify(verdict.errors));
      return verdict.envelope;
    },
  };
}

/** A user no double can hold. */
export const wideUser = 9_007_199_254_740_993n;

export const booking = (at: number, own: Readonly<Record<string, unknown>>) => ({
  event_type: 'seat_booked',
  event_id: `0190a000-0000-7000-8000-${String(at).padStart(12, '0')}`,
  timestamp: '2026-11-21T11:59:59.123Z',
  user_id: wideUser,
  ...own,
});

export const opening = (at: number) => ({ ...booking(at, {}), event_type: 'door_opened', user_id: 'u1' });
