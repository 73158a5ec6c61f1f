// Who reads the log, and how far each has passed which topic. A row goes only after every reader here has passed it.

import type { ForgottenReader } from '../../../ports/buffer.ts';
import type { BehindCounter, BehindStep } from '../read/behind.ts';
import type { Cursors } from '../read/read.ts';
import type { Connection } from './connection.ts';
import { isCorrupt } from './file.ts';

/** Each writes within a transaction of the caller's, except `keep`, which has its own. */
export interface Readers {
  /** Idempotent. */
  add(name: string): void;
  passedBy(name: string): Cursors;
  advance(name: string, topic: string, position: number): void;
  /** False when there is none of that name. */
  remove(name: string): boolean;
  /** Adds these and removes every other, in one transaction. */
  keep(names: readonly string[]): readonly ForgottenReader[];
}

export function readersIn(connection: Connection, counting: BehindCounter): Readers {
  const { prepare } = connection;
  const insert = prepare<null, [string]>("INSERT OR IGNORE INTO readers VALUES (?, '', 0)");
  const remove = prepare<{ topic: string }, [string]>('DELETE FROM readers WHERE reader = ? RETURNING topic');
  // One of no name is a repair under way (topic-index.ts).
  const everyName = prepare<{ reader: string }>("SELECT DISTINCT reader FROM readers WHERE reader <> ''");
  const positions = prepare<{ topic: string; position: number }, [string]>(
    "SELECT topic, position FROM readers WHERE reader = ? AND topic <> ''",
  );
  const advance = prepare<null, [string, string, number]>(
    'INSERT INTO readers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = max(position, excluded.position)',
  );

  const passedBy = (name: string): Cursors =>
    Object.fromEntries(positions.all(name).map(({ topic, position }) => [topic, position]));

  /** Null where damage hides how many. */
  const behindOf = (name: string): number | null => {
    try {
      return connection.read(() => {
        const passed = passedBy(name);
        let events = 0;
        for (let from: number | null = 0; from !== null; ) {
          const step: BehindStep = counting.step(passed, from);
          for (const more of Object.values(step.events)) events += more;
          from = step.next;
        }
        return events;
      });
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return null;
    }
  };

  return {
    add: name => void insert.run(name),
    passedBy,
    advance: (name, topic, position) => void advance.run(name, topic, position),
    remove: name => remove.all(name).some(({ topic }) => topic === ''),
    keep(names) {
      const others = (): string[] => everyName.all().flatMap(({ reader }) => (names.includes(reader) ? [] : reader));
      // Counted before the transaction: nobody waits for the write lock meanwhile.
      const behind = new Map(others().map(name => [name, behindOf(name)]));
      return connection.write('fsynced', () => {
        for (const name of names) insert.run(name);
        const forgotten = others().filter(name => remove.all(name).length > 0);
        return forgotten.map(name => ({ reader: name, behind: behind.get(name) ?? null }));
      });
    },
  };
}
