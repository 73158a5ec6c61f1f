// The group `buffer`: the disk buffer's file, beside whatever instance is using it: what waits in it, for whom, how much may
// still come, what was set aside.
//
// Reading a file of SQLite makes its log where there is none; so that nothing is made, a folder without one is left to the
// running instance, or to `ugc buffer stat`.

import { existsSync } from 'node:fs';
import { brokerOf } from '../../config/transport.ts';
import { bufferFile } from '../../process/instance.ts';
import type { Buffers } from '../buffer.ts';
import { countOf, duration, size } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';
import { type Instance, sumOf } from './instance.ts';

const page = 'docs/operate/buffer.md';
/** What waits for longer does not pass by itself. */
const oldMs = 60_000;

export const bufferGroup =
  (buffers: Pick<Buffers, 'read'>): GroupOf =>
  ({ config, isBeforeStart, instance }) => ({
    name: 'buffer',
    probes: [
      {
        id: 'buffer.file',
        hint: 'see ugc buffer verify',
        page,
        look: () => {
          const path = bufferFile(config.dataDir);
          if (!existsSync(path)) return [good('buffer.file', 'there is none yet')];
          if (!existsSync(`${path}-wal`))
            return [good('buffer.file', `${path} is at rest: ugc buffer stat says what waits in it`)];
          const file = buffers.read(config);
          try {
            return fileChecks(file.stat(), brokerOf(config));
          } finally {
            file.close();
          }
        },
      },
      ...(isBeforeStart
        ? []
        : [
            {
              id: 'buffer.growth',
              hint: 'look at what the drain or etl waits for',
              page,
              look: async () => growthOf(await instance),
            },
          ]),
    ],
  });

type Report = ReturnType<ReturnType<Buffers['read']>['stat']>;

function fileChecks(report: Report, broker: string | null): readonly Check[] {
  const { events, bytes, left, oldestAtMs, unreadableRows, quarantine } = report;
  const ageMs = oldestAtMs === null ? 0 : Date.now() - oldestAtMs;
  const age = oldestAtMs === null ? '' : `, the oldest ${duration(ageMs)} old`;
  const seen = `${countOf(events, 'event')}${age}; ${size(bytes)} in use, room for ${size(left)}`;
  const checks: Check[] = [];
  if (left <= 0)
    checks.push(
      wrong('buffer.room', {
        seen,
        follows: 'what the broker does not take is answered 503',
        hint: 'repair what it waits for, make room on the volume, or raise UGC_BUFFER_BYTES_MAX',
        page: 'docs/operate/incidents/disk-full.md',
      }),
    );
  else if (events > 0 && ageMs > oldMs)
    checks.push(
      doubtful('buffer.depth', {
        seen,
        follows: 'they are safe, and not rows yet',
        hint:
          broker === null ? 'see the groups etl and clickhouse' : `see the group ${broker}: it has not taken them yet`,
        page,
      }),
    );
  else checks.push(good('buffer.depth', seen));
  if (unreadableRows > 0)
    checks.push(
      wrong('buffer.damage', {
        seen: `${countOf(unreadableRows, 'place')} of the file cannot be read`,
        follows: 'events that lie there are not moved; the others are',
        hint: 'save it with ugc buffer export, then see ugc buffer verify',
        page,
      }),
    );
  const aside = quarantine.reduce((sum, { records }) => sum + records, 0);
  if (aside > 0)
    checks.push(
      doubtful('buffer.quarantine', {
        seen: `${countOf(aside, 'record')} set aside: ${[...new Set(quarantine.map(({ reason }) => reason))].slice(0, 3).join('; ')}`,
        follows: 'they do not become rows until they are put back',
        hint: 'ugc buffer inspect --quarantine, then ugc buffer requeue once the reason is gone',
        page,
      }),
    );
  return checks;
}

async function growthOf(instance: Instance | null): Promise<readonly Check[]> {
  const before = instance && sumOf(instance.now, 'ugc_buffer_events');
  const later = await instance?.later;
  const after = later ? sumOf(later, 'ugc_buffer_events') : null;
  if (before === null || after === null) return [];
  const waits = later ? (sumOf(later, 'ugc_buffer_oldest_seconds') ?? 0) * 1_000 : 0;
  const seen = `${countOf(before, 'event')}, a moment later ${countOf(after, 'event')}`;
  if (after <= before || waits < oldMs) return [good('buffer.growth', seen)];
  return [
    doubtful('buffer.growth', {
      seen: `it grows: ${seen}`,
      follows: 'when it is full events are answered 503',
      hint: 'repair what it waits for, or add what moves it (etl, the broker)',
      page: 'docs/operate/incidents/lag-growing.md',
    }),
  ];
}
