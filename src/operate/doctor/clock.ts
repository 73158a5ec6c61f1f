// The group `clock`: this machine's, beside when this program was built and beside the ClickHouse server's. Kafka, Pulsar and
// RabbitMQ tell no time.

import { build } from '../../process/build.ts';
import { clockOf, isoOf } from '../../process/clock.ts';
import { duration } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';
import type { Server } from './clickhouse.ts';

const page = 'docs/operate/incidents/clock-wrong.md';
const hint = 'set the clock: chronyc makestep, or see timedatectl';
/** Rows of two machines are in another order than they came. */
const apartMsMax = 2_000;

export const clockGroup =
  (server: () => Promise<Server | null>): GroupOf =>
  ({ config, instance, isBeforeStart }) => ({
    name: 'clock',
    probes: [
      {
        id: 'clock.here',
        hint,
        page,
        look: async () => {
          const told = isBeforeStart ? undefined : (await instance)?.troubles.clock;
          const words = clockOf({ builtAtMs: build.builtAtMs }).problem()?.words ?? told;
          if (words === undefined) return [good('clock.here', isoOf(Date.now()))];
          return [
            wrong('clock.here', {
              seen: words,
              follows: 'while it is wrong for certain no event is taken',
              hint,
              page,
            }),
          ];
        },
      },
      {
        id: 'clock.clickhouse',
        hint,
        page,
        look: async () => {
          const reached = config.clickhouseUrl === '' ? null : await server().catch(() => null);
          return reached === null ? [] : [beside(reached)];
        },
      },
    ],
  });

function beside({ about, askedAtMs, answeredAtMs }: Server): Check {
  const id = 'clock.clickhouse';
  // What it says was true at some moment between the two.
  const aheadMs = about.nowMs > answeredAtMs ? about.nowMs - answeredAtMs : Math.min(0, about.nowMs - askedAtMs);
  const apartMs = Math.abs(aheadMs);
  if (apartMs <= apartMsMax) return good(id, `ClickHouse’s is within ${apartMsMax / 1_000} s of this one`);
  const trouble = {
    seen: `ClickHouse’s clock is ${duration(apartMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'} this one: one of the two is wrong`,
    follows: 'received_at, retention and what “the last minutes” shows are off by as much',
    hint,
    page,
  };
  return apartMs > 3_600_000 ? wrong(id, trouble) : doubtful(id, trouble);
}
