// Other teams at the same Pulsar: the programs of docs/operate/pulsar.md as they stand there, and the schemas its registry has.
// And two movers of ours, of which one hangs.

import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { findClientJars, isWithoutPulsar } from '../support/pulsar.ts';
import { pulsarInTest } from '../support/pulsar-in-test.ts';
import { typedEvent, typeFiles, typeJson } from '../support/type-files.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const page = readFileSync(join(import.meta.dir, '../../docs/operate/pulsar.md'), 'utf8');
const stallMs = 3_000;

type Program = Bun.Subprocess<'ignore', 'pipe', 'inherit'>;

const clickOf = (user: string) => ({
  ...exampleClick,
  event_id: crypto.randomUUID(),
  timestamp: new Date().toISOString(),
  user_id: user,
});

const stored = async (ugc: Ugc, event: object): Promise<string> =>
  ((await (await ugc.post(event)).json()) as { stored: string }).stored;

const reachesPulsar = (ugc: Ugc, event: () => object) =>
  eventually(async () => (await stored(ugc, event())) === 'pulsar', { what: 'an event in Pulsar' });

/** Until it has printed all of these. */
async function hears(program: Program, words: readonly string[]): Promise<void> {
  let text = '';
  for await (const chunk of program.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (words.every(word => text.includes(word))) return;
  }
  throw new Error(`it ended without ${words.filter(word => !text.includes(word))}: ${text}`);
}

describe.skipIf(await isWithoutPulsar('own'))('beside others at a Pulsar', () => {
  const own = pulsarInTest({ webSocketSessionIdleTimeoutMillis: '300000' });

  /** A program of the page, with the addresses of this Pulsar and this topic. */
  async function programOf(file: string, topic: string): Promise<Program> {
    const found = new RegExp(`<!-- pulsar ${file}:.*?-->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(page);
    if (found === null) throw new Error(`the page has no ${file}`);
    const { host } = new URL(own.pulsar.url);
    const code = found[1]!
      .replace('localhost:8080', host)
      .replace('pulsar://localhost:6650', own.pulsar.serviceUrl!)
      .replace('ugc.film', topic);
    const path = join(temporaryFolder(), file);
    writeFileSync(path, code);
    const client = file.endsWith('.java') ? await findClientJars() : { jars: '' };
    if ('missing' in client) throw new Error(client.missing);
    const command = client.jars === '' ? [process.execPath, path] : ['java', '-cp', `${client.jars}/*`, path];
    return Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  }

  test('the page’s programs, in JavaScript and in Java, write events that become rows and read what is there', async () => {
    const name = own.newName();
    const topic = `${name}.film`;
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: own.flags(name) });
    const event = clickOf('ours');
    await reachesPulsar(ugc, () => event);
    for (const [file, said] of [
      ['producer.mjs', /^[A-Za-z0-9+/=]+\n$/],
      ['Click.java', /^\d+:\d+:\d\n$/],
    ] as const)
      expect(await new Response((await programOf(file, topic)).stdout).text()).toMatch(said);
    const users = async (): Promise<string[]> =>
      (await ugc.query<{ u: string }>('SELECT DISTINCT user_id AS u FROM ugc.click ORDER BY u')).map(({ u }) => u);
    await eventually(async () => (await users()).join() === 'anna,boris,ours', { what: 'rows of both' });
    for (const file of ['consumer.mjs', 'Reports.java']) {
      const consumer = await programOf(file, topic);
      const another = clickOf('another');
      await reachesPulsar(ugc, () => another);
      await hears(consumer, [
        another.event_id,
        ...(file.endsWith('.java') ? [`1 {"event_id":"${another.event_id}`] : []),
      ]);
      consumer.kill('SIGKILL');
      await consumer.exited;
    }
    expect(await ugc.query('SELECT * FROM ugc.dead_letters')).toEqual([]);
    expect(await ugc.stop()).toBe(0);
  });

  test('a type that grows is a second version in the registry; one that does not fit is said, and its events flow', async () => {
    const name = own.newName();
    const topic = `${name}.trailers`;
    const dataDir = temporaryFolder();
    const files = typeFiles(join(temporaryFolder(), 'types'));
    const start = () => startUgc({ dataDir, flags: [...own.flags(name), `--schemas-dir=${files.folder}`] });
    const inRegistry = async () => {
      const { version, data } = (await own.team.ask(`schemas/public/default/${topic}/schema`)) as {
        version: number;
        data: string;
      };
      return { version, fields: (JSON.parse(data) as { fields: { name: string }[] }).fields.map(field => field.name) };
    };
    const versions: string[] = [];
    const row = async (ugc: Ugc, changes: Record<string, unknown>): Promise<void> => {
      const before = (await ugc.query('SELECT 1 FROM ugc.trailer_watched').catch(() => [])).length;
      expect(await eventually(() => stored(ugc, typedEvent('trailer_watched', changes)))).toMatch(/pulsar|disk/);
      await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.trailer_watched')).length > before, {
        what: 'a row',
      });
    };
    files.write(typeJson('trailer_watched', { version: 1 }));
    const first = await start();
    await row(first, { seconds: 7 });
    expect(await inRegistry()).toMatchObject({ version: 0 });
    expect(await first.stop()).toBe(0);

    const grown = typeJson('trailer_watched', { version: 2 });
    files.write({ ...grown, properties: { ...grown.properties, trailer_id: { type: 'string', maxLength: 64 } } });
    const second = await start();
    await row(second, { seconds: 8, trailer_id: 't1' });
    await eventually(async () => (await inRegistry()).version === 1, { what: 'a second version' });
    expect((await inRegistry()).fields).toContain('trailer_id');
    await second.stop();

    // Another team has registered what ours does not fit.
    const other = own.newName();
    await own.team.tell('PUT', `persistent/public/default/${other}.trailers/partitions`, 2);
    const schema = JSON.stringify({ type: 'record', name: 'x', fields: [{ name: 'seconds', type: 'string' }] });
    await own.team.tell('POST', `schemas/public/default/${other}.trailers/schema`, {
      type: 'JSON',
      schema,
      properties: {},
    });
    const third = await startUgc({
      dataDir: temporaryFolder(),
      flags: [...own.flags(other), `--schemas-dir=${files.folder}`],
    });
    const ready = async (): Promise<string> => (await fetch(`${third.url}/healthz/ready`)).text();
    await eventually(async () => /not compatible with ugc's for persistent:.*trailers/.test(await ready()), {
      what: 'words in readiness',
    });
    await reachesPulsar(third, () => typedEvent('trailer_watched', { seconds: 9 }));
    await eventually(async () => (await third.query('SELECT 1 FROM ugc.trailer_watched')).length > 0, {
      what: 'its row',
    });
    expect(await third.stop()).toBe(0);

    // What each was written by stands beside it.
    for (const partition of [0, 1])
      await own.team.readAll(`${topic}-partition-${partition}`, (_, __, properties) =>
        versions.push(properties.schema_version ?? ''),
      );
    expect(new Set(versions)).toEqual(new Set(['1', '2']));
  });

  test('one of two movers hangs: the other has its partitions within a bounded time, and it takes its share when it goes on', async () => {
    const name = own.newName();
    const flags = (of: string) => [...own.flags(of), `--pulsar-stall-timeout-ms=${stallMs}`];
    const one = await startUgc({ dataDir: temporaryFolder(), flags: flags(name) });
    await reachesPulsar(one, () => clickOf('first'));
    const consumersOf = async (): Promise<number[]> => {
      const stats = (await own.team.ask(
        `persistent/public/default/${name}.film/partitioned-stats?perPartition=true`,
      )) as {
        partitions: Record<string, { subscriptions: Record<string, { consumers: unknown[] }> }>;
      };
      return Object.values(stats.partitions).map(each => each.subscriptions[name]?.consumers.length ?? 0);
    };
    const two = await startUgc({ dataDir: temporaryFolder(), flags: [...flags(name), '--role=etl'] });
    await eventually(async () => (await consumersOf()).every(count => count === 2), {
      what: 'both at both partitions',
    });
    two.kill('SIGSTOP');
    const asked = fetch(`${two.url}/healthz/ready`, { signal: AbortSignal.timeout(500) });
    expect(
      await asked.then(
        () => 'ready',
        () => 'nobody answers',
      ),
    ).toBe('nobody answers');
    const since = performance.now();
    const mine = new Set<string>();
    // Of every key, so that both partitions have some.
    for (let at = 0; at < 40; at++) {
      const event = clickOf(`user-${at}`);
      await stored(one, event);
      mine.add(event.event_id);
    }
    const rows = async (ugc: Ugc): Promise<number> => {
      const ids = await ugc.query<{ id: string }>('SELECT toString(event_id) AS id FROM ugc.click');
      return ids.filter(({ id }) => mine.has(id)).length;
    };
    await eventually(async () => (await rows(one)) === mine.size, { what: 'rows without the one that hangs' });
    console.log(
      `pulsar: partitions of a mover that hangs went over within ${Math.round(performance.now() - since)} ms (stall ${stallMs})`,
    );
    two.kill('SIGCONT');
    await eventually(async () => (await consumersOf()).every(count => count === 2), { what: 'both again' });
    const ready = await eventually(async () => {
      const answer = await fetch(`${two.url}/healthz/ready`);
      const { detail } = (await answer.json()) as { detail: object };
      return Object.keys(detail).length === 0 && answer;
    });
    expect(ready.status).toBe(200);
    await eventually(async () => (await own.team.backlog(`${name}.film`, name)) === 0, { what: 'all is passed' });
    for (const ugc of [one, two]) expect(await ugc.stop()).toBe(0);
  });
});
