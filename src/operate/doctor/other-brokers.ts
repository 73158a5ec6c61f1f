// The groups `pulsar` and `rabbitmq`: whether they answer, let us in and have the topics, and what lies behind the reader.

import { lookAtPulsar } from '../../adapters/pulsar/connect/look.ts';
import type { PulsarOptions } from '../../adapters/pulsar/connect/options.ts';
import { lookAtRabbitmq } from '../../adapters/rabbitmq/connect/look.ts';
import type { RabbitmqConnection } from '../../adapters/rabbitmq/connect/options.ts';
import { topicsOf } from '../../catalogue/topics.ts';
import { catalogueFor } from '../../catalogue/type-folder.ts';
import type { Config } from '../../config/config.ts';
import { brokerOf } from '../../config/transport.ts';
import { PipelineError } from '../../errors.ts';
import { countOf } from '../output.ts';
import { type Check, doubtful, type Group, type GroupOf, good, wrong } from './check.ts';

/** What both tell. */
interface Look {
  /** In words: which broker answered. */
  readonly about: string;
  readonly missing: readonly string[];
  /** Records no reader of ours has passed; null = not told. */
  readonly behind: number | null;
}

interface Broker {
  readonly name: 'pulsar' | 'rabbitmq';
  readonly settings: string;
  readonly page: string;
  look(topics: readonly string[]): Promise<Look>;
}

export const pulsarGroup =
  (optionsOf: (config: Config) => PulsarOptions): GroupOf =>
  ({ config }) =>
    brokerOf(config) !== 'pulsar'
      ? null
      : groupOf(config, {
          name: 'pulsar',
          settings: 'UGC_PULSAR_URL, UGC_PULSAR_TOKEN, UGC_PULSAR_NAMESPACE',
          page: 'docs/operate/pulsar.md',
          look: topics => lookAtPulsar(optionsOf(config), topics, config.pulsarSubscription),
        });

export const rabbitmqGroup =
  (optionsOf: (config: Config) => RabbitmqConnection): GroupOf =>
  ({ config }) =>
    brokerOf(config) !== 'rabbitmq'
      ? null
      : groupOf(config, {
          name: 'rabbitmq',
          settings: 'UGC_RABBITMQ_URL',
          page: 'docs/operate/rabbitmq.md',
          look: topics => lookAtRabbitmq(optionsOf(config), topics),
        });

function groupOf(config: Config, { name, settings, page, look }: Broker): Group {
  const id = `${name}.reach`;
  const hint = `start it, or set ${settings} right`;
  const follows = 'events are answered from the disk buffer meanwhile, and go there by themselves';
  return {
    name,
    probes: [
      {
        id,
        hint,
        page,
        look: async () => {
          try {
            return checksOf(await look(topicsOf(config, catalogueFor(config)).written), config, { name, page });
          } catch (error) {
            if (!(error instanceof PipelineError)) throw error;
            return [wrong(id, { seen: error.message, follows, hint, page })];
          }
        },
      },
    ],
  };
}

function checksOf(
  { about, missing, behind }: Look,
  { topicCreate }: Config,
  { name, page }: Pick<Broker, 'name' | 'page'>,
): readonly Check[] {
  const checks: Check[] = [good(`${name}.reach`, about)];
  const seen = `${countOf(missing.length, 'topic')} not there yet: ${missing.slice(0, 4).join(', ')}`;
  if (missing.length > 0)
    checks.push(
      topicCreate
        ? good(`${name}.topics`, `${seen}; ugc makes them`)
        : wrong(`${name}.topics`, {
            seen,
            follows: 'their events stay in the disk buffer',
            hint: 'create them: the log of ugc has the commands (UGC_TOPIC_CREATE=false)',
            page,
          }),
    );
  if (behind === null) return checks;
  const waits = `${countOf(behind, 'event')} not rows yet`;
  const isFar = behind > farBehind;
  checks.push(
    isFar
      ? doubtful(`${name}.lag`, {
          seen: waits,
          follows: 'rows come late; none is lost before the broker deletes it',
          hint: 'see the group clickhouse, and whether ugc --role=etl runs',
          page: 'docs/operate/incidents/lag-growing.md',
        })
      : good(`${name}.lag`, waits),
  );
  return checks;
}

/** More are no more just on their way. */
const farBehind = 100_000;
