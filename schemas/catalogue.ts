// Event types found by their names: the catalogue of all there are. A new one is a file of its own, see every-type.ts.

import type { EventType } from './event.ts';
import { everyType } from './every-type.ts';
import { nearestOf } from './nearest.ts';

export interface Catalogue {
  readonly types: readonly EventType[];
  /** By name or alias. */
  find(name: string): EventType | undefined;
  /** The name or alias a mistake in typing away, when there is one. */
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
    nearest: nearestOf(byName.keys()),
  };
}

/** With types that are no more: of a past type no name is known that one of now has. */
export function catalogueWithPast(now: readonly EventType[], past: readonly EventType[]): Catalogue {
  const taken = new Set(now.flatMap(({ name, aliases }) => [name, ...aliases]));
  const left = past
    .filter(({ name }) => !taken.has(name))
    .map(type => ({ ...type, aliases: type.aliases.filter(alias => !taken.has(alias)) }));
  return catalogueOf([...now, ...left]);
}

export const catalogue = catalogueOf(everyType);
