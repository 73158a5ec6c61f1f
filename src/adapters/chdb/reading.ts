// The embedded engine for who may only read and is not trusted with more: every statement is looked at as one that came over
// the HTTP port is, runs as a guest, on one thread and with a bounded memory, so that inserts find theirs, and can change
// no setting, these bounds among them.

import { guestMemoryBytesMax } from './config.ts';
import type { Engine } from './engine.ts';
import { refuse } from './error.ts';
import { askReading } from './look.ts';

export interface ReadingOptions {
  /** Names without a database are looked for there. */
  readonly database: string;
  /** Of the engine. */
  readonly memoryBytesMax: number;
}

const queryMemoryBytesMax = 2 ** 30;

/** What is asked of it rejects with EngineError. */
export function readingEngine(
  engine: Engine,
  { database, memoryBytesMax }: ReadingOptions,
): Pick<Engine, 'query' | 'insert'> {
  const bounds = {
    max_memory_usage: Math.min(queryMemoryBytesMax, guestMemoryBytesMax(memoryBytesMax)),
    max_threads: 1,
  };
  return {
    query: (sql, options = {}) =>
      askReading(engine, sql, {
        format: 'TabSeparated',
        ...options,
        database,
        settings: { ...options.settings, ...bounds },
        readonly: 'settings-too',
        guest: true,
      }),
    insert: async () => {
      throw refuse(164, 'Cannot execute query in readonly mode', 'READONLY');
    },
  };
}
