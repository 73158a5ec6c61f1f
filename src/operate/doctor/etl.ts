// The group `etl`: what a running instance moves into the tables, and what could not become a row.

import { lettersIn } from '../../adapters/clickhouse/ask/letters.ts';
import type { Config } from '../../config/config.ts';
import { PipelineError } from '../../errors.ts';
import { count, countOf, duration } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';
import type { Server } from './clickhouse.ts';
import { type Instance, type Samples, sumOf } from './instance.ts';

const lagging = 'docs/operate/incidents/lag-growing.md';

export const etlGroup =
  (server: () => Promise<Server | null>): GroupOf =>
  ({ config, isBeforeStart, instance }) =>
    isBeforeStart
      ? null
      : {
          name: 'etl',
          probes: [
            { id: 'etl.moving', hint: 'see its log', page: lagging, look: async () => movingOf(await instance) },
            {
              id: 'etl.dead',
              hint: 'see ugc dead ls',
              page: 'docs/operate/dead-letters.md',
              look: async () => {
                const reached = await server().catch(() => null);
                return reached === null ? [] : deadOf(reached, config);
              },
            },
          ],
        };

async function movingOf(instance: Instance | null): Promise<readonly Check[]> {
  if (instance === null || sumOf(instance.now, 'ugc_etl_lag_events') === null) return []; // no etl here, or no metrics of it
  const halted = labelsOf(instance.now, 'ugc_etl_halted', 'table').map(table =>
    wrong('etl.halted', {
      seen: `${table} waits for repair: ${instance.troubles[table] ?? 'see the log'}`,
      follows: 'its events wait in the log; other tables go on',
      hint: 'repair what it says; it goes on by itself',
      page: 'docs/operate/incidents/broken-schema.md',
    }),
  );
  const waiting = labelsOf(instance.now, 'ugc_etl_waiting', 'topic').map(topic =>
    wrong('etl.waiting', {
      seen: `${topic} holds records of a newer ugc than this`,
      follows: 'its events wait in the log',
      hint: 'upgrade the etl processes, too',
      page: 'docs/operate/upgrade.md',
    }),
  );
  const later = await instance.later;
  return [...halted, ...waiting, ...(later === null ? [] : [lagOf(instance.now, later)])];
}

const labelsOf = (samples: Samples, name: string, label: string): readonly string[] =>
  (samples.get(name) ?? []).filter(({ value }) => value > 0).map(({ labels }) => labels[label] ?? '');

/** What is younger is on its way. */
const oldS = 60;

function lagOf(now: Samples, later: Samples): Check {
  const id = 'etl.lag';
  const [before, after] = [now, later].map(samples => sumOf(samples, 'ugc_etl_lag_events') ?? 0) as [number, number];
  const polledS = Math.max(0, ...(later.get('ugc_etl_lag_seconds') ?? []).map(({ value }) => value));
  const oldestS = Math.max(polledS, sumOf(later, 'ugc_buffer_oldest_seconds') ?? 0);
  const seen = `${countOf(after, 'event')} not rows yet, the oldest ${duration(oldestS * 1_000)} old`;
  if (after === 0 || oldestS < oldS) return good(id, after === 0 ? 'every event is a row' : seen);
  const isGrowing = after > before;
  return doubtful(id, {
    seen: isGrowing ? `the lag grows: ${seen}, ${count(after - before)} more than a moment before` : seen,
    follows: 'rows come late; none is lost',
    hint: 'see the groups clickhouse and limits; if those are well, start more ugc --role=etl',
    page: lagging,
  });
}

async function deadOf({ client }: Server, { clickhouseDatabase }: Config): Promise<readonly Check[]> {
  const id = 'etl.dead';
  let reasons: Awaited<ReturnType<ReturnType<typeof lettersIn>['count']>>;
  try {
    reasons = await lettersIn(client, clickhouseDatabase).count({ state: 'open' });
  } catch (error) {
    if (error instanceof PipelineError && /UNKNOWN_(TABLE|DATABASE)/.test(error.message)) return []; // none were made yet
    throw error;
  }
  const letters = reasons.reduce((sum, reason) => sum + reason.letters, 0);
  if (letters === 0) return [good(id, 'no open dead letters')];
  const why = reasons.map(reason => `${count(reason.letters)} ${reason.reason}`).join(', ');
  return [
    doubtful(id, {
      seen: `${countOf(letters, 'record')} could not become a row: ${why}`,
      follows: 'they are kept with their bytes, and keep no other event waiting',
      hint: 'ugc dead ls, repair the reason, then ugc dead replay; what nobody will repair: ugc dead dismiss',
      page: 'docs/operate/incidents/poison-record.md',
    }),
  ];
}
