// What Hive is told of: types that are new or have grown, and their new days, as entries come. The archive never waits for
// it; what fails is told, and tried again with all that has come meanwhile.

import type { HiveNews, HiveTables } from '../ports/hive-tables.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { deadType } from './dead.ts';
import type { Entry } from './manifest.ts';
import { troublesOf } from './troubles.ts';

export interface HiveTelling {
  /** Cheap. */
  entered(entry: Entry): void;
  problems(): Readonly<Record<string, string>>;
  /** Idempotent. What was not told comes with the next day, or by `ugc schema hive`. */
  stop(): Promise<void>;
}

export interface HiveTellingOptions {
  readonly hive: HiveTables;
  readonly definitionOf: (type: string) => TableDefinition | undefined;
  readonly logger: Logger;
  readonly retryMs?: number;
}

export function startHiveTelling({ hive, definitionOf, logger, retryMs = 10_000 }: HiveTellingOptions): HiveTelling {
  const stopping = new AbortController();
  const troubles = troublesOf(logger);
  let news = new Map<string, HiveNews>();
  let telling: Promise<void> | null = null;

  async function tellAll(): Promise<void> {
    while (news.size > 0 && !stopping.signal.aborted) {
      const taken = news;
      news = new Map();
      try {
        await hive.tell([...taken.values()], stopping.signal);
        troubles.over('hive');
      } catch (error) {
        for (const item of taken.values()) add(item);
        if (stopping.signal.aborted) return;
        troubles.tell('hive', error, 'Hive does not take the new tables and days just now; it is told again');
        await sleep(retryMs, stopping.signal);
      }
    }
  }

  async function begin(): Promise<void> {
    await tellAll();
    telling = news.size > 0 && !stopping.signal.aborted ? begin() : null;
  }

  function add({ definition, format, days }: HiveNews): void {
    const key = `${format}/${definition.type}`;
    const before = news.get(key);
    news.set(key, { definition: before?.definition ?? definition, format, days: union(before?.days ?? [], days) });
  }

  return {
    entered: ({ files }) => {
      for (const { type, format, day } of files) {
        const definition = type === deadType ? undefined : definitionOf(type);
        if (definition !== undefined) add({ definition, format, days: [day] });
      }
      telling ??= begin();
    },
    problems: troubles.words,
    stop: async () => {
      stopping.abort();
      await telling;
      await hive.close();
    },
  };
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])].toSorted();
