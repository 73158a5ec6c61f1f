// Hive is told of what the archive holds, beside the archive: it is never waited for, and what it could not be told is told
// again until it is. At the start it is told of every day there are files of, and where those lie that were compacted, so a
// death before the telling costs nothing.
// A type is told of once it has files: for one without, Hive would make the folder, as its own user.

import { messageOf } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { HiveNews, HiveTables } from '../ports/hive-tables.ts';
import type { RowFormatName } from '../ports/row-format.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { generationsOf, tellWhere } from './generations.ts';
import { placeName } from './holdings.ts';
import type { Entry } from './manifest.ts';

export interface HiveTellingOptions {
  readonly tables: HiveTables;
  readonly store: Pick<ColdStore, 'list'>;
  readonly formats: readonly RowFormatName[];
  /** Of the types there are just now. */
  readonly types: () => readonly string[];
  readonly definitionOf: (type: string) => TableDefinition | undefined;
  readonly logger: Logger;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
}

export interface HiveTelling {
  entered(entry: Pick<Entry, 'files'>): void;
  /** Why Hive does not know of everything, in words; null = it does, or is being told. */
  problem(): string | null;
  /** Idempotent. */
  stop(): Promise<void>;
}

export function startHiveTelling(options: HiveTellingOptions): HiveTelling {
  const { tables, store, formats, definitionOf, logger, retryMsMin = 5_000, retryMsMax = 300_000 } = options;
  const ending = new AbortController();
  const { signal } = ending;
  /** format → type → days. */
  const untold = new Map(formats.map(format => [format, new Map<string, Set<string>>()]));
  /** Of these it is known where they lie; compactions of later tell by themselves. */
  const told = new Set<string>();
  let hasListed = false;
  let problem: string | null = null;
  let wake = (): void => {};

  const add = (format: RowFormatName, type: string, day: string): void => {
    const types = untold.get(format);
    if (types === undefined || definitionOf(type) === undefined) return;
    const days = types.get(type) ?? new Set();
    types.set(type, days.add(day));
  };

  const list = async (): Promise<void> => {
    for (const format of formats)
      for (const type of options.types())
        for (const { path } of await store.list(`${format}/${type}`, signal)) {
          const day = /\/dt=(\d{4}-\d\d-\d\d)\//.exec(path)?.[1];
          if (day !== undefined) add(format, type, day);
        }
    const tables = formats.flatMap(format => options.types().map(type => ({ format, type })));
    for (const { format, type, day } of (await generationsOf(store, tables, signal)).values()) add(format, type, day);
    hasListed = true;
  };

  /** What is told, and removes it. */
  const taken = (): HiveNews[] => {
    const news: HiveNews[] = [];
    for (const [format, types] of untold) {
      for (const [type, days] of types) {
        const definition = definitionOf(type);
        if (definition !== undefined) news.push({ definition, format, days: [...days].toSorted() });
      }
      types.clear();
    }
    return news;
  };

  const tellAll = async (): Promise<void> => {
    if (!hasListed) await list();
    const news = taken();
    try {
      if (news.length === 0) return;
      const names = news.flatMap(({ definition: { type }, format, days }) =>
        days.map(day => placeName({ format, type, day })),
      );
      if (names.every(name => told.has(name))) await tables.tell(news, signal);
      else await tellWhere(tables, news, store, signal);
      for (const name of names) told.add(name);
    } catch (error) {
      for (const { definition, format, days } of news) for (const day of days) add(format, definition.type, day);
      throw error;
    }
  };

  const isSilent = (): boolean => hasListed && [...untold.values()].every(types => types.size === 0);

  const run = async (): Promise<void> => {
    for (let pauseMs = retryMsMin; !signal.aborted; ) {
      try {
        await tellAll();
        if (problem !== null) logger.info(`${tables.title} is told of the archive again`);
        problem = null;
        pauseMs = retryMsMin;
        while (isSilent() && !signal.aborted)
          await new Promise<void>(resolve => {
            wake = resolve;
          });
      } catch (error) {
        if (signal.aborted) return;
        if (problem !== messageOf(error)) logger.error({ err: error }, 'Hive is not told of the archive’s new days');
        problem = messageOf(error);
        await sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, retryMsMax);
      }
    }
  };
  const running = run();

  return {
    entered({ files }) {
      for (const { format, type, day } of files) add(format, type, day);
      wake();
    },
    problem: () => problem,
    async stop() {
      ending.abort(new Error('ugc is ending'));
      wake();
      await running;
      await tables.close();
    },
  };
}
