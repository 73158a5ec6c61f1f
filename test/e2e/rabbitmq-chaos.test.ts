// The promise over RabbitMQ in bad circumstances, under load, for both kinds of queue: the server killed, hung and short of
// memory, ugc killed, at random one after the other. UGC_TEST_RABBITMQ_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { newLedger } from '../support/load.ts';
import { compare } from '../support/oracle.ts';
import { isWithoutRabbitmq, startRabbitmq, type TestRabbitmq } from '../support/rabbitmq.ts';
import { randomOf, seeded } from '../support/random.ts';
import { tally } from '../support/rounds.ts';
import { eventually, temporaryFolder } from '../support/ugc.ts';
import { ugcLives } from '../support/ugc-lives.ts';

const rounds = Number(process.env.UGC_TEST_RABBITMQ_ROUNDS ?? 8);

describe.skipIf(isWithoutRabbitmq('own')).each(['stream', 'quorum'] as const)('%s queues of RabbitMQ', kind => {
  const random = randomOf(`rabbitmq chaos, ${kind}`);
  let rabbitmq: TestRabbitmq;
  beforeAll(async () => {
    rabbitmq = await startRabbitmq('own');
  });
  afterAll(() => rabbitmq?.stopForGood());

  test(`${rounds} rounds: every event that was acked is one row, and nothing else is`, async () => {
    const ledger = newLedger();
    const dealt = new Map<string, number>();
    let during = 'nothing';
    const lives = await ugcLives({
      dataDir: temporaryFolder(),
      flags: [
        ...['--transport=rabbitmq', `--rabbitmq-queue=${kind}`, '--auth=none', '--request-log=false'],
        ...['--topic=ugc.{family}', '--rabbitmq-request-timeout-ms=3000', '--rabbitmq-heartbeat-seconds=2'],
      ],
      env: { UGC_RABBITMQ_URL: rabbitmq.url },
      random: seeded(random.seed + 1),
      ledger,
      circumstances: () => during,
      isExcused: () => true, // how long an answer takes is the matter of kafka-chaos.test.ts
      makeRoom: () => {},
    });
    const faults: Readonly<
      Record<string, readonly [() => Promise<unknown> | unknown, () => Promise<unknown> | unknown]>
    > = {
      'server killed': [rabbitmq.kill, rabbitmq.start],
      'server hung': [rabbitmq.stop, rabbitmq.cont],
      'memory alarm': [
        () => rabbitmq.control('set_vm_memory_high_watermark', 'absolute', '1MB'),
        () => rabbitmq.control('set_vm_memory_high_watermark', '0.6'),
      ],
      'ugc killed': [() => lives.next('SIGKILL'), () => {}],
    };
    for (let round = 0; round < rounds; round++) {
      during = Object.keys(faults)[(round + random.seed) % 4]!;
      dealt.set(during, (dealt.get(during) ?? 0) + 1);
      const [begin, end] = faults[during]!;
      await begin();
      await Bun.sleep(random.between(20, 3_000)); // how long it lasts is the random part
      await end();
      if (during === 'server killed' || during === 'server hung')
        await eventually(() => rabbitmq.ready().then(() => true), { what: 'the server again' });
      during = 'nothing';
      await Bun.sleep(random.between(0, 1_000));
    }
    await lives.quiet();
    const ugc = lives.current();
    await eventually(async () => (await compare(ugc, ledger)).lost.length === 0, { msMax: 120_000, what: 'all rows' });
    const { rows, acked, doubled, foreign } = await compare(ugc, ledger);
    console.log(`rabbitmq chaos, ${kind}: ${tally(dealt)}; ${acked} acked (${tally(ledger.stored)}), ${rows} rows`);
    expect({ doubled, foreign }).toEqual({ doubled: [], foreign: [] });
    expect(lives.failures).toEqual([]);
    for (const where of ['rabbitmq', 'disk']) expect(ledger.stored.get(where)).toBeGreaterThan(0);
    expect(await lives.stop()).toBe(0);
  });
});
