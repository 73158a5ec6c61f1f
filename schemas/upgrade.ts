// From a record of an older version of a type to one of the version there is: each upgrade in turn, by the definition's
// chain, which has no gap (event.ts). Who a record is and when it happened is no upgrade's to change: however often a
// record is read, it becomes the same row.

import { type EventType, stampedNames } from './event.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Throws, in words, what an upgrade throws or returns that is no record. */
export function upgrade({ version, upgrades }: EventType, record: Fields, from: number): Fields {
  const identity = entriesOf(record, true);
  let current = record;
  for (let at = from; at < version; at++) {
    try {
      const next: unknown = upgrades![at]!.apply(Object.freeze({ ...current }));
      if (typeof next !== 'object' || next === null || Array.isArray(next)) throw new Error('it gave no record');
      current = Object.fromEntries([...identity, ...entriesOf(next as Fields, false)]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the upgrade from version ${at} to ${at + 1} failed: ${why}`, { cause: error });
    }
  }
  return current;
}

const entriesOf = (record: Fields, isStamped: boolean): (readonly [string, unknown])[] =>
  Object.entries(record).filter(([name]) => stampedNames.includes(name) === isStamped);
