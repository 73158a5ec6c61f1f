// A sink that learns tables while the mover uses it: the new tables are made first, then used; until then the old ones are.

import type { DeadLetters, Sink, SinkWithDeadLetters } from '../ports/sink.ts';
import type { TableDefinition } from '../ports/tables.ts';

export interface GrowingSink extends Sink {
  /** These tables from now on. Rejects as `prepare` does, and then uses the ones before. */
  define(tables: readonly TableDefinition[]): Promise<void>;
}

/** `sinkOf` makes sinks over one connection, so closing one closes all. */
export function growingSink(
  sinkOf: (tables: readonly TableDefinition[]) => SinkWithDeadLetters,
  tables: readonly TableDefinition[],
): GrowingSink & DeadLetters {
  let sink = sinkOf(tables);
  let asked = 0;
  let inUse = 0;
  return {
    title: sink.title,
    prepare: () => sink.prepare(),
    insert: (block, token, signal) => sink.insert(block, token, signal),
    check: (block, signal) => sink.check(block, signal),
    deadLetter: (letters, signal) => sink.deadLetter(letters, signal),
    close: () => sink.close(),
    define: async wanted => {
      const turn = ++asked;
      const next = sinkOf(wanted);
      await next.prepare();
      if (turn < inUse) return; // somebody who asked later was sooner
      inUse = turn;
      sink = next;
    },
  };
}
