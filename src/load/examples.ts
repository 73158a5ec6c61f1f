// Steps for types that no journey knows: their examples, each with a person of the seed's.

import type { EventType } from '../../schemas/event.ts';
import { exampleOf } from '../../schemas/example.ts';
import type { People, PeopleOptions } from './journeys.ts';
import { seeded, zipf } from './random.ts';

const said = new Set([
  'event_type',
  'event_id',
  'timestamp',
  'sent_at',
  'user_id',
  'anonymous_id',
  'country',
  'device',
]);

export interface ExamplesOptions extends PeopleOptions {
  /** Their properties are left away: padding stands there. */
  readonly isPadded: boolean;
}

export function examples(types: readonly EventType[], { seed, users, isPadded }: ExamplesOptions): People {
  const random = seeded(seed);
  const person = zipf(users, 0.7);
  const prepared = types.map(type => {
    const example = Object.keys(type.example).length === 0 ? exampleOf(type) : type.example;
    const own = Object.fromEntries(
      Object.entries(example).filter(([name]) => !said.has(name) && !(isPadded && name === 'properties')),
    );
    return {
      type: type.name,
      identity: type.identity,
      country: String(example.country ?? 'US'),
      device: String(example.device ?? 'mobile'),
      own: JSON.stringify(own).slice(1, -1),
    };
  });
  return {
    next() {
      const { identity, ...rest } = random.pick(prepared);
      const number = 1 + person(random);
      return { ...rest, user: identity === 'integer' ? String(number) : `"user-${number}"`, visitor: 'null' };
    },
  };
}
