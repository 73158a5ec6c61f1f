// What every file of tests of the binary over a real Pulsar has: a server from its first test to its last, another team's way to
// it, names that are nobody else's.

import { afterAll, beforeAll } from 'bun:test';
import { startPulsar, type TestPulsar } from './pulsar.ts';
import { type PulsarTeam, pulsarTeam } from './pulsar-team.ts';

export interface PulsarInTest {
  /** There from the first test on. */
  readonly pulsar: TestPulsar;
  readonly team: PulsarTeam;
  newName(): string;
  /** For `name` as the prefix of all that is made; a topic a family, which is soon made, if nothing else is said. Two partitions a topic, and times that a busy machine keeps. */
  flags(name: string, pattern?: string): string[];
}

/** To be called once in a file. */
export function pulsarInTest(settings: Readonly<Record<string, string>> = {}): PulsarInTest {
  let pulsar: TestPulsar;
  let team: PulsarTeam;
  let names = 0;
  beforeAll(async () => {
    pulsar = await startPulsar({ settings });
    team = pulsarTeam(pulsar.url);
  });
  afterAll(() => pulsar?.stopForGood());
  return {
    get pulsar() {
      return pulsar;
    },
    get team() {
      return team;
    },
    newName: () => `t.${process.pid}.${++names}`,
    flags: (name, pattern = '{family}') => [
      ...['--transport=pulsar', `--pulsar-url=${pulsar.url}`, `--topic=${name}.${pattern}`, '--topic-partitions=2'],
      ...[
        `--pulsar-subscription=${name}`,
        '--pulsar-connect-timeout-ms=10000',
        '--pulsar-request-timeout-ms=5000',
        '--ack-budget-ms=2000',
      ],
    ],
  };
}
