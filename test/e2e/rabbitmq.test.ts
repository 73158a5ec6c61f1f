// UGC_TRANSPORT=rabbitmq in the compiled binary, over both kinds of queue: from an answer to a row, through a server that
// is killed, hung and short of memory, and what another team reads with a plain AMQP client.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { clientEvent } from '../support/events.ts';
import { isWithoutRabbitmq, rabbitmqClient, startRabbitmq, type TestRabbitmq } from '../support/rabbitmq.ts';
import { randomOf } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('rabbitmq');

/** Sends so many, and says where each was stored. */
async function send(ugc: Ugc, count: number, acked: Set<string>): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const event_id = crypto.randomUUID();
      const response = await ugc.post({ ...clientEvent(random), event_id });
      const { stored = '' } = (await response.json()) as { stored?: string };
      if (response.status === 200) acked.add(event_id);
      return `${response.status} ${stored}`;
    }),
  );
}

describe.skipIf(isWithoutRabbitmq('own')).each(['stream', 'quorum'] as const)('%s queues of RabbitMQ', kind => {
  let rabbitmq: TestRabbitmq;
  beforeAll(async () => {
    rabbitmq = await startRabbitmq('own');
  });
  afterAll(() => rabbitmq?.stopForGood());

  const flags = (): string[] => [
    ...['--transport=rabbitmq', `--rabbitmq-queue=${kind}`, '--auth=none', '--request-log=false'],
    ...['--topic=ugc.{family}', '--rabbitmq-request-timeout-ms=3000', '--rabbitmq-heartbeat-seconds=2'],
  ];

  test('each event that is acked is one row, whatever becomes of the server meanwhile', async () => {
    const acked = new Set<string>();
    const options = { dataDir: temporaryFolder(), flags: flags(), env: { UGC_RABBITMQ_URL: rabbitmq.url } };
    let ugc = await startUgc(options);
    const wave = (want: string) =>
      eventually(async () => (await send(ugc, 20, acked)).every(said => said === `200 ${want}`), {
        what: `a wave on ${want}`,
      });
    await wave('rabbitmq');

    await rabbitmq.kill();
    await wave('disk');
    await rabbitmq.restart();
    await wave('rabbitmq');

    rabbitmq.stop();
    await wave('disk');
    rabbitmq.cont();
    await wave('rabbitmq');

    await rabbitmq.control('set_vm_memory_high_watermark', 'absolute', '1MB');
    await wave('disk');
    await rabbitmq.control('set_vm_memory_high_watermark', '0.6');
    await wave('rabbitmq');

    ugc.kill('SIGKILL');
    await ugc.exited;
    ugc = await startUgc(options);
    await wave('rabbitmq');

    const isThere = async () => {
      const ids = new Set(await idsIn(ugc));
      return [...acked].every(id => ids.has(id));
    };
    await eventually(isThere, { what: `${acked.size} rows` });
    const ids = await idsIn(ugc);
    expect(ids.length).toBe(new Set(ids).size);
    expect(await ugc.stop()).toBe(0);
  });

  test('another team reads with a plain client what the edge wrote', async () => {
    const model = await rabbitmqClient(rabbitmq.url);
    const channel = await model.createConfirmChannel();
    const ugc = await startUgc({
      dataDir: temporaryFolder(),
      flags: [...flags().filter(flag => !flag.startsWith('--topic')), '--topic=other.{family}', '--role=ingest'],
      env: { UGC_RABBITMQ_URL: rabbitmq.url },
    });
    const acked = new Set<string>();
    await eventually(async () => (await send(ugc, 1, acked))[0] === '200 rabbitmq', { what: 'an event in RabbitMQ' });
    const [id] = [...acked].slice(-1);
    const bodies: string[] = [];
    await channel.prefetch(100);
    const ofStream = kind === 'stream' ? { arguments: { 'x-stream-offset': 'first' } } : {};
    await channel.consume('other.film', message => void bodies.push(message!.content.toString()), ofStream);
    await eventually(() => bodies.some(body => JSON.parse(body).event_id === id), {
      what: 'the event, read by another',
    });
    expect(await ugc.stop()).toBe(0);
    await model.close();
  });
});

/** As users read them. */
async function idsIn(ugc: Ugc): Promise<string[]> {
  const ids: string[] = [];
  for (const { name } of catalogue.types)
    for (const { id } of await ugc.query<{ id: string }>(`SELECT toString(event_id) AS id FROM ugc.${name}`))
      ids.push(id);
  return ids;
}
