// UGC_TRANSPORT=rabbitmq in the compiled binary, over both kinds of queue: from an answer to a row, through a server that
// is killed, hung and short of memory and disk; what an operator asks of it; what others write and read by the page alone.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import { clientEvent, exampleClick } from '../support/events.ts';
import { flowsOfFolder } from '../support/flows-of-folder.ts';
import { pythonWith } from '../support/python.ts';
import { isWithoutRabbitmq, rabbitmqClient, startRabbitmq, type TestRabbitmq } from '../support/rabbitmq.ts';
import { randomOf } from '../support/random.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('rabbitmq');
const page = readFileSync(join(import.meta.dir, '../../docs/operate/rabbitmq.md'), 'utf8');

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
    // Its readers are there, too: a queue that has just been made may stay down (docs/operate/rabbitmq.md).
    await eventually(async () => (await idsIn(ugc)).length > 0, { what: 'the first row' });

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

    await rabbitmq.control('set_disk_free_limit', '10000GB');
    await wave('disk');
    await rabbitmq.control('set_disk_free_limit', '50MB');
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

  const address = () => ({ UGC_RABBITMQ_URL: rabbitmq.url });
  const start = (dataDir: string, ...more: string[]): Promise<Ugc> =>
    startUgc({ dataDir, flags: [...flags(), ...more], env: address() });
  const run = (dataDir: string, ...args: string[]) => {
    const [command, ...rest] = args;
    return runUgc(
      [command!, ...rest, `--data-dir=${dataDir}`, ...flags().filter(flag => !/auth|request-log/.test(flag))],
      { env: address() },
    );
  };
  const clickOf = (user: string) => ({
    ...exampleClick,
    ...{ event_id: crypto.randomUUID(), timestamp: new Date().toISOString(), user_id: user },
  });
  const storedOf = async (ugc: Ugc, event: object): Promise<string> =>
    ((await (await ugc.post(event)).json()) as { stored: string }).stored;

  test('an event is traced, a person forgotten with what the receipt says of RabbitMQ, and nothing lags', async () => {
    const dataDir = temporaryFolder();
    const ugc = await start(dataDir);
    const event = clickOf('forgotten');
    await eventually(async () => (await storedOf(ugc, event)) === 'rabbitmq', { what: 'the event in RabbitMQ' });
    await eventually(
      async () => (await ugc.query(`SELECT 1 FROM ugc.click WHERE event_id = '${event.event_id}'`)).length === 1,
      {
        what: 'its row',
      },
    );
    await eventually(async () => /^ugc_etl_lag_events\{[^}]*topic="ugc\.film"[^}]*\} 0$/m.test(await metricsOf(ugc)), {
      what: 'no lag',
    });
    expect((await run(dataDir, 'doctor')).stdout).toContain('✓ rabbitmq.reach');
    const traced = JSON.parse((await run(dataDir, 'trace', event.event_id, '--json')).stdout);
    expect(traced.rows).toHaveLength(1);
    if (kind === 'stream') {
      expect(traced.unasked).toEqual({});
      const bodies = traced.rabbitmq.map((found: { body: string }) => JSON.parse(found.body).event_id);
      expect(new Set(bodies)).toEqual(new Set([event.event_id]));
      expect(traced.rabbitmq[0]).toMatchObject({ topic: 'ugc.film', offset: expect.any(Number) });
    } else
      expect(traced).toMatchObject({
        rabbitmq: [],
        unasked: { rabbitmq: expect.stringContaining('cannot be looked into') },
      });

    const receipt = JSON.parse((await run(dataDir, 'forget', '--user-id=forgotten', '--yes', '--json')).stdout);
    expect(receipt).toMatchObject({ is_complete: true, unreached: [] });
    const [said] = receipt.remains.filter(({ place }: { place: string }) => place.startsWith('RabbitMQ: '));
    expect(said.place).toContain('ugc.film');
    expect(said.what).toContain(kind === 'stream' ? 'kept for 168h' : 'wait to become rows');
    expect(await ugc.stop()).toBe(0);
  });

  test('flows are paused and drained by what lies in the data folder, and every event is one row', async () => {
    const dataDir = temporaryFolder();
    await flowsOfFolder({
      broker: 'rabbitmq',
      start: () => start(dataDir, '--topic=steered.{family}'),
      run: (...args) => run(dataDir, ...args, '--topic=steered.{family}'),
      hang: rabbitmq.stop,
      goOn: rabbitmq.cont,
    });
  });

  test('the ledger goes by way of RabbitMQ as well: the balance closes, and an event has its receipt', async () => {
    const dataDir = temporaryFolder();
    const topic = '--topic=kept.{family}';
    const ugc = await start(dataDir, topic, '--ledger');
    const events = Array.from({ length: 5 }, () => clickOf('counted'));
    await eventually(async () => (await storedOf(ugc, events[0]!)) === 'rabbitmq', { what: 'an event in RabbitMQ' });
    expect((await ugc.post([...events, ...events])).status).toBe(200);
    const balance = async () => {
      const soon = `--to=${new Date(Date.now() + 60_000).toISOString()}`;
      return JSON.parse((await runUgc(['reconcile', '--json', soon, `--data-dir=${dataDir}`])).stdout);
    };
    await eventually(async () => (await balance()).types[0]?.rows === 5, { what: 'the rows counted' });
    await eventually(async () => (await balance()).closes === true, { what: 'a balance that closes' });
    const receipt = await fetch(`${ugc.url}/v1/receipts/${events[1]!.event_id}`);
    expect(await receipt.json()).toMatchObject({ state: 'stored' });
    expect(await ugc.stop()).toBe(0);
  });

  test('diverted events lie in a queue of their own and are no rows', async () => {
    const dataDir = temporaryFolder();
    const divert = ['rules', 'add', 'divert', '--user=odd', '--topic=aside', `--data-dir=${dataDir}`];
    await eventually(async () => (await runUgc(divert)).code === 0, { what: 'the rule' });
    const ugc = await start(dataDir);
    const [odd, even] = [clickOf('odd'), clickOf('even')];
    for (const event of [odd, even])
      await eventually(async () => (await storedOf(ugc, event)) === 'rabbitmq', { what: 'the event in RabbitMQ' });
    await eventually(async () => (await idsIn(ugc)).includes(even.event_id), { what: 'the other as a row' });
    const bodies: string[] = [];
    const model = await rabbitmqClient(rabbitmq.url);
    const channel = await model.createChannel();
    await channel.prefetch(100);
    const ofStream = kind === 'stream' ? { arguments: { 'x-stream-offset': 'first' } } : {};
    await channel.consume('aside', message => void bodies.push(message!.content.toString()), ofStream);
    await eventually(() => bodies.some(body => JSON.parse(body).event_id === odd.event_id), { what: 'the diverted' });
    expect(bodies.some(body => JSON.parse(body).event_id === even.event_id)).toBe(false);
    expect(await idsIn(ugc)).not.toContain(odd.event_id);
    await model.close();
    expect(await ugc.stop()).toBe(0);
  });

  test('what can be no row is one dead letter, however often it is delivered', async () => {
    const ugc = await start(temporaryFolder());
    const model = await rabbitmqClient(rabbitmq.url);
    const channel = await model.createConfirmChannel();
    const odd = [Buffer.from(`{"event_type":"click","no":"${crypto.randomUUID()}"}`), Buffer.from([0xff, 0x0a, 0x00])];
    for (const value of [...odd, ...odd]) channel.publish('', 'ugc.film', value, { persistent: true, mandatory: true });
    await channel.waitForConfirms();
    await model.close();
    const letters = async () =>
      ugc.query<{ raw: string }>("SELECT base64Encode(raw) AS raw FROM ugc.dead_letters WHERE topic = 'ugc.film'");
    const wanted = odd.map(value => value.toString('base64')).toSorted();
    await eventually(async () => (await letters()).length >= 2, { what: 'the letters' });
    expect((await letters()).map(({ raw }) => raw).toSorted()).toEqual(wanted);
    // Its group has passed them; another group is given them once more.
    if (kind === 'stream') {
      const again = await startUgc({
        dataDir: temporaryFolder(),
        flags: [...flags(), '--role=etl', '--from=ugc.film/0=0'],
        env: address(),
      });
      const there = () => again.query<{ raw: string }>('SELECT base64Encode(raw) AS raw FROM ugc.dead_letters');
      await eventually(async () => (await there()).length >= 2, { what: 'the letters again' });
      expect((await there()).map(({ raw }) => raw).toSorted()).toEqual(wanted);
      expect(await again.stop()).toBe(0);
    }
    expect(await ugc.stop()).toBe(0);
  });

  test('it is read again from a time and from an offset, or refused in words', async () => {
    if (kind === 'quorum') {
      const { code, stderr } = await run(temporaryFolder(), '--role=etl', '--from=2026-01-01T00:00Z');
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('UGC_RABBITMQ_QUEUE=stream') });
      return;
    }
    const ugc = await start(temporaryFolder(), '--topic=again.{family}');
    const events = Array.from({ length: 5 }, (_, at) => clickOf(`again-${at}`));
    for (const event of events)
      await eventually(async () => (await storedOf(ugc, event)) === 'rabbitmq', { what: 'the event in RabbitMQ' });
    expect(await ugc.stop()).toBe(0);
    const idsFrom = async (from: string, count: number): Promise<Set<string>> => {
      const again = await start(temporaryFolder(), '--topic=again.{family}', '--role=etl', `--from=${from}`);
      await eventually(async () => new Set(await idsIn(again)).size >= count, { what: `${count} rows from ${from}` });
      const ids = new Set(await idsIn(again));
      expect(await again.stop()).toBe(0);
      return ids;
    };
    expect(await idsFrom('2026-01-01T00:00Z', 5)).toEqual(new Set(events.map(({ event_id }) => event_id)));
    expect((await idsFrom('again.film/0=1', 4)).has(events.at(-1)!.event_id)).toBe(true);
  });

  test('the viewing history reads beside the tables with a position of its own, or is refused in words', async () => {
    const secret = 'a secret of thirty-two characters';
    const content = ['--auth=jwt', `--topic=watched.{family}`];
    const env = { ...address(), UGC_JWT_SECRET: secret, UGC_JWT_AUDIENCE: 'ugc' };
    const settings = [...flags().filter(flag => !flag.startsWith('--auth')), ...content];
    const dataDir = temporaryFolder();
    if (kind === 'quorum') {
      const { code, stderr } = await runUgc([...settings, `--data-dir=${dataDir}`], { env });
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('UGC_CONTENT_HISTORY needs') });
      return;
    }
    const token = hmacTokenOf(secret, {
      ...{ sub: 'ann', aud: 'ugc', azp: 'site', exp: Math.floor(Date.now() / 1_000) + 3_600 },
      scope: 'events:write content:read content:write',
    });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const closed = (film: string) => ({
      ...{ event_type: 'film_closed', timestamp: new Date().toISOString(), country: 'US', device: 'tv' },
      ...{ video_id: film, duration: 1_000, position: 300, share: 0.3 },
    });
    const films = async (ugc: Ugc): Promise<string[]> => {
      const answer = await fetch(`${ugc.url}/v1/me/continue`, { headers });
      return ((await answer.json()) as { films: { film_id: string }[] }).films.map(film => film.film_id).toSorted();
    };
    for (const watched of [['film-1'], ['film-1', 'film-2']]) {
      const ugc = await startUgc({ dataDir, flags: settings, env });
      const body = JSON.stringify(closed(watched.at(-1)!));
      expect((await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body })).status).toBe(200);
      await eventually(async () => Bun.deepEquals(await films(ugc), watched), { what: `the history has ${watched}` });
      await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.film_closed')).length === watched.length, {
        what: 'the rows',
      });
      expect(await ugc.stop()).toBe(0);
    }
    expect(await rabbitmq.control('list_queues', 'name', 'type')).toMatch(
      /ugc\.position\.ugc-etl-history\.watched\.film\s/,
    );
  });

  test('the page’s producers are rows, and its consumers of a stream read them', async () => {
    const ugc = await start(temporaryFolder());
    const python = await pythonWith('pika', ['pika==1.3.2']);
    if (python === null)
      console.warn(
        'NO PYTHON WITH pika==1.3.2, SO ITS EXAMPLES ARE NOT RUN: CI=true makes one where there is a python3',
      );
    const languages = ['mjs', ...(python === null ? [] : ['py'])];
    const users = { mjs: 'anna', py: 'boris' } as const;
    const programOf = (name: string): Bun.Subprocess<'ignore', 'pipe', 'inherit'> => {
      const ending = name.split('.')[1]!;
      const code = new RegExp(`<!-- rabbitmq ${name}:.*?-->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(page)![1]!;
      const file = join(temporaryFolder(), name);
      writeFileSync(
        file,
        code
          .replace('localhost:5672', new URL(rabbitmq.url).host)
          .replace("from 'amqplib'", `from '${import.meta.resolve('amqplib')}'`),
      );
      const command = ending === 'py' ? python! : process.execPath;
      return Bun.spawn([command, file], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
    };
    for (const language of languages) {
      expect(await programOf(`producer.${language}`).exited).toBe(0);
      const user = users[language as keyof typeof users];
      await eventually(async () => (await ugc.query(`SELECT 1 FROM ugc.click WHERE user_id = '${user}'`)).length > 0, {
        what: `the row of ${user}`,
      });
      if (kind === 'quorum') continue;
      const consumer = programOf(`consumer.${language}`);
      let text = '';
      for await (const chunk of consumer.stdout.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes(user)) break;
      }
      expect(text).toMatch(/^0 \{/);
      consumer.kill('SIGKILL');
    }
    expect(await ugc.stop()).toBe(0);
  });
});

const metricsOf = async (ugc: Ugc): Promise<string> => (await fetch(`${ugc.url}/metrics`)).text();

/** As users read them. */
async function idsIn(ugc: Ugc): Promise<string[]> {
  const ids: string[] = [];
  for (const { name } of catalogue.types)
    for (const { id } of await ugc.query<{ id: string }>(`SELECT toString(event_id) AS id FROM ugc.${name}`))
      ids.push(id);
  return ids;
}
