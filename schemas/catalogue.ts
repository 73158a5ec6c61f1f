// Every event type there is. A new one is a file of its own and a line here.

import { closest, distance } from 'fastest-levenshtein';
import type { EventType } from './event.ts';
import { click } from './film/click.ts';
import { filmWatched } from './film/film-watched.ts';
import { pageView } from './film/page-view.ts';
import { qualityChange } from './film/quality-change.ts';
import { searchFilterUse } from './film/search-filter-use.ts';

export interface Catalogue {
  readonly types: readonly EventType[];
  /** By name or alias. */
  find(name: string): EventType | undefined;
  /** The nearest name, when there is one a typing mistake away. */
  nearest(name: string): string | undefined;
}

export function catalogueOf(types: readonly EventType[]): Catalogue {
  const byName = new Map<string, EventType>();
  for (const type of types)
    for (const name of [type.name, ...type.aliases]) {
      if (byName.has(name)) throw new Error(`two event types are called ${name}`);
      byName.set(name, type);
    }
  return {
    types,
    find: name => byName.get(name),
    nearest: name => {
      const typed = name.slice(0, 100);
      const candidate = closest(typed, [...byName.keys()]);
      return distance(typed, candidate) <= Math.max(2, candidate.length / 3) ? candidate : undefined;
    },
  };
}

export const catalogue = catalogueOf([click, pageView, searchFilterUse, qualityChange, filmWatched]);
