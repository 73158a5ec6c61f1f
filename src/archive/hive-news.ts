// What is new to Hive: at the start and when types have grown the table of each, and days with their first file.
//
// - It holds up no archive: a Hive that is away, or refuses, is told later, and said.
// - Everything may be told again, so nothing of it is kept: after a start the days come with their next file, and
//   `ugc schema hive` has a statement that finds all that lie there.

import type { HiveNews, HiveTables } from '../ports/hive-tables.ts';
import type { RowFormatName } from '../ports/row-format.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import type { Entry } from './manifest.ts';
import { troublesOf } from './troubles.ts';

export interface HiveTellingOptions {
  readonly hive: HiveTables;
  /** Of event types, as they are just now. */
  readonly definitions: () => readonly TableDefinition[];
  readonly formats: readonly RowFormatName[];
  readonly logger: Logger;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
}

export interface HiveTelling {
  entered(entry: Pick<Entry, 'files'>): void;
  /** Types are new, or have grown. */
  grown(): void;
  problems(): Readonly<Record<string, string>>;
  /** Idempotent. */
  stop(): Promise<void>;
}

export function startHiveTelling(options: HiveTellingOptions): HiveTelling {
  const { hive, definitions, formats, logger, retryMsMin = 1_000, retryMsMax = 60_000 } = options;
  const stopping = new AbortController();
  const troubles = troublesOf(logger);
  /** By format and type. */
  let days = new Map<string, Set<string>>();
  let isEveryType = true;
  let awaited = Promise.withResolvers<void>();
  stopping.signal.addEventListener('abort', () => awaited.resolve(), { once: true });
  const done = run();

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      if (!isEveryType && days.size === 0) {
        awaited = Promise.withResolvers();
        await awaited.promise;
        continue;
      }
      const [untold, all] = [days, isEveryType];
      [days, isEveryType] = [new Map(), false];
      try {
        await hive.tell(newsOf(untold, all), stopping.signal);
        troubles.over('archive_hive');
        failures = 0;
      } catch (error) {
        for (const [key, some] of untold) addTo(key, some);
        isEveryType ||= all;
        if (stopping.signal.aborted) return;
        troubles.tell('archive_hive', error, 'Hive is not told of what is new in the archive; it is tried again');
        await sleep(Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures++, 20)), stopping.signal);
      }
    }
  }

  function newsOf(untold: ReadonlyMap<string, ReadonlySet<string>>, all: boolean): HiveNews[] {
    return definitions().flatMap(definition =>
      formats.flatMap(format => {
        const some = [...(untold.get(keyOf(format, definition.type)) ?? [])];
        return all || some.length > 0 ? [{ definition, format, days: some }] : [];
      }),
    );
  }

  function addTo(key: string, some: Iterable<string>): void {
    days.set(key, new Set([...(days.get(key) ?? []), ...some]));
    awaited.resolve();
  }

  return {
    entered: ({ files }) => {
      for (const { format, type, day } of files) addTo(keyOf(format, type), [day]);
    },
    grown: () => {
      isEveryType = true;
      awaited.resolve();
    },
    problems: troubles.words,
    stop: async () => {
      stopping.abort();
      await done;
      await hive.close();
    },
  };
}

const keyOf = (format: RowFormatName, type: string): string => `${format}/${type}`;
