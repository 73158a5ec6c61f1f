// `ugc doctor`: is all well, and if not, what is it, what follows, and what to do next. It asks the running instance, and the
// servers themselves with this command's own eyes; it works with none running, and it changes nothing.

import type { KafkaConnection } from '../adapters/kafka/connect/options.ts';
import type { PulsarOptions } from '../adapters/pulsar/connect/options.ts';
import type { RabbitmqConnection } from '../adapters/rabbitmq/connect/options.ts';
import type { Config } from '../config/config.ts';
import { flag } from '../config/kinds.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import { command, type Exit, type Invocation } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import { bufferGroup } from './doctor/buffer.ts';
import type { Asked, Group, GroupOf } from './doctor/check.ts';
import { clickhouseGroup, serverOf } from './doctor/clickhouse.ts';
import { clockGroup } from './doctor/clock.ts';
import { diskGroup } from './doctor/disk.ts';
import { type DoorWiring, doorGroup } from './doctor/door.ts';
import { etlGroup } from './doctor/etl.ts';
import { examine } from './doctor/examine.ts';
import { instanceOf } from './doctor/instance.ts';
import { kafkaGroup } from './doctor/kafka.ts';
import { limitsGroup } from './doctor/limits.ts';
import { pulsarGroup, rabbitmqGroup } from './doctor/other-brokers.ts';
import { instanceGroup } from './doctor/readiness.ts';
import { reportOf, textOf } from './doctor/report.ts';
import { settingsGroup, unreadableGroup } from './doctor/settings.ts';
import { archiveGroup, contentGroup } from './doctor/stores.ts';
import { columnsOut, say, writeOut } from './output.ts';

export const doctorFlags = {
  beforeStart: flag({
    default: false,
    help: 'Only what has to hold before a start: settings, disk, servers and rights there; for init containers',
  }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};

export interface DoctorWiring extends DoorWiring {
  readonly buffers: Pick<Buffers, 'read'>;
  readonly kafkaOf: (config: Config) => KafkaConnection;
  readonly pulsarOf: (config: Config) => PulsarOptions;
  readonly rabbitmqOf: (config: Config) => RabbitmqConnection;
  readonly storeOf: (config: Config) => ColdStore;
}

type Told = Pick<Invocation<typeof doctorFlags>, 'args' | 'flags' | 'colours'>;

export const doctorCommand = (wiring: DoctorWiring) =>
  command(
    doctorFlags,
    invocation => {
      const { config, flags } = invocation;
      const { beforeStart: isBeforeStart } = flags;
      const instance = isBeforeStart ? Promise.resolve(null) : instanceOf(config);
      return tell(invocation, groupsFor({ config, isBeforeStart, instance }, wiring));
    },
    invocation => tell(invocation, [unreadableGroup(invocation.problems)]),
  );

function groupsFor(asked: Asked, wiring: DoctorWiring): readonly Group[] {
  let server: ReturnType<typeof serverOf> | undefined;
  const once = () => (server ??= serverOf(asked.config));
  const groups: readonly GroupOf[] = [
    settingsGroup,
    diskGroup,
    limitsGroup,
    clockGroup(once),
    doorGroup(wiring),
    kafkaGroup(wiring.kafkaOf),
    pulsarGroup(wiring.pulsarOf),
    rabbitmqGroup(wiring.rabbitmqOf),
    clickhouseGroup(once),
    instanceGroup,
    bufferGroup(wiring.buffers),
    etlGroup(once),
    contentGroup,
    archiveGroup(wiring.storeOf),
  ];
  return groups.map(groupOf => groupOf(asked)).filter(group => group !== null);
}

async function tell({ args, flags, colours }: Told, groups: readonly Group[]): Promise<Exit> {
  const [stray] = args;
  if (stray !== undefined) {
    say(`ugc: ${stray} is not understood; see ugc help doctor`);
    return 2;
  }
  const startedAt = performance.now();
  const categories = await examine(groups);
  const report = reportOf(categories, performance.now() - startedAt);
  writeOut(flags.json ? `${JSON.stringify(report)}\n` : textOf(report, colours && columnsOut() !== null));
  return report.success ? 0 : 1;
}
