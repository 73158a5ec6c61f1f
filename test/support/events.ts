// Film events as clients send them, made from a seed.

import { catalogue } from '../../schemas/catalogue.ts';
import type { Random } from './random.ts';

export type ClientEvent = Record<string, unknown> & { event_id: string; event_type: string };

const pages = ['main', 'film', 'search', 'profile'];

const films = catalogue.types.filter(type => type.family === 'film');

/** A valid event of any film type with an event_id of its own. */
export function clientEvent(random: Random, now = Date.now()): ClientEvent {
  const type = random.pick(films);
  const { example } = type;
  return {
    ...example,
    event_id: Bun.randomUUIDv7(),
    timestamp: new Date(now - random.between(0, 86_400_000)).toISOString(),
    user_id: random.next() < 0.2 ? null : `user-${random.between(1, 5_000)}`,
    ...('page_url' in example
      ? { page_url: `https://example.com/${random.pick(pages)}?n=${random.between(1, 1e6)}` }
      : {}),
    ...('duration' in example ? { duration: random.between(1, 10_000) / 4 } : {}),
    event_type: String(example.event_type),
  };
}

/** The type an event of this name or alias is stored as. */
export const typeOf = (event: ClientEvent): string => catalogue.find(event.event_type)!.name;

/** A valid click, the same each time, without an id. */
export const exampleClick = {
  event_type: 'click',
  timestamp: '2026-10-03T14:30:00Z',
  country: 'US',
  device: 'mobile',
  element: 'play',
  page_url: 'https://example.com/',
} as const;
