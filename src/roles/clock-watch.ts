// The clock, wired: the last stamp is kept in the data folder, so that the next process does not go back behind it, and
// the clock of the ClickHouse server is looked at, where there is one. A broker tells no time.
//
// What a killed process has stamped in its last seconds is not known to the next one.

import { readFileSync } from 'node:fs';
import { clickhouseClient } from '../adapters/clickhouse/client.ts';
import { clickhouseServerOf } from '../config/clickhouse-server.ts';
import type { Config } from '../config/config.ts';
import { messageOf } from '../errors.ts';
import { build } from '../process/build.ts';
import { type Clock, clockOf } from '../process/clock.ts';
import { replaceFile } from '../process/file.ts';
import { lastStampFile } from '../process/instance.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';

export interface WatchedClock extends Clock {
  close(): Promise<void>;
}

const lookEveryMs = 60_000;
const keepEveryMs = 5_000;
const timeoutMs = 3_000;

/** `keeps`: this process stamps events. */
export function watchClock(config: Config, keeps: boolean, logger: Logger): WatchedClock {
  const path = lastStampFile(config.dataDir);
  const clock = clockOf({ builtAtMs: build.builtAtMs, lastMs: keeps ? readStamp(path) : 0 });
  const stopping = new AbortController();
  const client = config.clickhouseUrl === '' ? null : clickhouseClient({ ...clickhouseServerOf(config), timeoutMs });
  let told: string | null = null;
  let stampedMs = 0;
  let keptMs = 0;
  const running = [every(keepEveryMs, keep), ...(client === null ? [] : [every(lookEveryMs, look)])];

  return {
    ...clock,
    stamp: () => (stampedMs = clock.stamp()),
    close: async () => {
      stopping.abort();
      await Promise.all(running);
      await client?.close();
      keep();
    },
  };

  async function every(ms: number, act: () => void | Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      await act();
      tell();
      await sleep(ms, stopping.signal);
    }
  }

  function keep(): void {
    if (!keeps || stampedMs === keptMs) return;
    try {
      replaceFile(path, String(stampedMs), { mode: 0o666, isSynced: false });
      keptMs = stampedMs;
    } catch (error) {
      logger.debug({ err: error }, 'the last stamp could not be kept'); // a full disk: asked again
    }
  }

  async function look(): Promise<void> {
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]);
      const query = 'SELECT toString(toUnixTimestamp64Milli(now64(3))) AS ms';
      const [row] = await client!.read<{ readonly ms: string }>(query, { signal });
      const ms = Number(row?.ms);
      if (ms > 0) clock.compare('ClickHouse', ms);
    } catch (error) {
      logger.debug({ err: error }, `ClickHouse was not asked for the time: ${messageOf(error)}`);
    }
  }

  /** Once for each sort of problem: its words change with the time. */
  function tell(): void {
    const problem = clock.problem();
    const sort = problem === null ? null : String(problem.isCertain);
    if (sort === told) return;
    told = sort;
    if (problem === null) logger.info('the clock is believed again');
    else logger.error(problem.isCertain ? `${problem.words}; no events are taken` : problem.words);
  }
}

function readStamp(path: string): number {
  try {
    const ms = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(ms) ? ms : 0;
  } catch {
    return 0; // none was kept
  }
}
