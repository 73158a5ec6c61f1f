// `ugc buffer …` as an operator uses it: beside a running instance under load, on a stopped one, into a pipe that ends,
// and killed half way.

import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import { exampleClick } from '../support/events.ts';
import { load, newLedger } from '../support/load.ts';
import { compare, drained } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { binary, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const click = (element: string) => ({ ...exampleClick, event_id: Bun.randomUUIDv7(), element });
const clicks = (count: number) => Array.from({ length: count }, (_, at) => click(`element-${at}`));

const commandOn =
  (dataDir: string) =>
  (name: string, args: readonly string[] = []) =>
    runUgc(['buffer', ...name.split(' '), `--data-dir=${dataDir}`, ...args]);

const open = (dataDir: string): Promise<DiskBuffer> =>
  sqliteBuffer({ path: join(dataDir, 'buffer.sqlite'), bytesMax: 2 ** 30, diskReserveBytes: 0 });

/** A stopped instance with so many events in its buffer. */
async function filled(dataDir: string, count: number): Promise<string[]> {
  const ugc = await startUgc({ dataDir, flags: ['--role=ingest'] });
  const events = clicks(count);
  expect((await ugc.post(events)).status).toBe(200);
  expect(await ugc.stop()).toBe(0);
  return events.map(event => event.event_id);
}

/** As the drain would: records like those in the buffer, refused by Kafka. Gives back their ids. */
async function setAside(dataDir: string, count: number, reason = 'Kafka refused: not allowed'): Promise<string[]> {
  const { stdout } = await commandOn(dataDir)('export');
  const like = stdout.slice(0, stdout.indexOf('\n'));
  const ids = Array.from({ length: count }, () => Bun.randomUUIDv7());
  const buffer = await open(dataDir);
  const records = ids.map((id, index) => ({
    topic: 'ugc.click',
    type: 'click',
    position: 1,
    index,
    reason,
    body: like.replace(/"event_id":"[^"]+"/, `"event_id":"${id}"`),
  }));
  await buffer.setAside(records);
  await buffer.close();
  return ids;
}

const idsOf = (ndjson: string): string[] =>
  ndjson
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line).event_id);

test('a stopped instance: what was acked is counted, shown, found sound and exported', async () => {
  const dataDir = temporaryFolder();
  const ids = await filled(dataDir, 250);
  const [aside] = await setAside(dataDir, 1);
  const run = commandOn(dataDir);
  expect(JSON.parse((await run('stat --json')).stdout)).toMatchObject({
    events: 250,
    quarantined: 1,
    topics: [{ topic: 'ugc.click', type: 'click', events: 250 }],
    quarantine: [{ reason: 'Kafka refused: not allowed', records: 1 }],
  });
  const forPeople = (await run('stat')).stdout;
  for (const words of ['250 events', 'room for', 'ugc.click', 'readers', 'Kafka refused'])
    expect(forPeople).toContain(words);
  expect(await run('verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('sound: 250 events') });
  expect(JSON.parse((await run('verify --json')).stdout)).toMatchObject({ ok: true, events: 250, problems: [] });

  const exported = await run('export');
  expect(exported).toMatchObject({ code: 0, stderr: 'exported 250 events\n' });
  expect(idsOf(exported.stdout)).toEqual(ids);
  expect(idsOf((await run('export --quarantine')).stdout)).toEqual([aside!]);

  expect((await run('inspect')).stdout.trim().split('\n')).toHaveLength(20);
  const one = (await run(`inspect --id=${ids[17]} --json`)).stdout;
  expect(JSON.parse(one)).toMatchObject({ type: 'click', body: { event_id: ids[17], element: 'element-17' } });
  expect((await run('inspect --quarantine')).stdout).toContain(aside!);
  expect((await run('inspect --type=clck')).stderr).toContain('nothing found');
});

test('a damaged one: verify says where and ends with 1, export saves the rest and says what it left out', async () => {
  const dataDir = temporaryFolder();
  await filled(dataDir, 100);
  const path = join(dataDir, 'buffer.sqlite');
  const bytes = Buffer.from(await Bun.file(path).bytes());
  bytes[bytes.indexOf('element-50')]! ^= 1;
  await Bun.write(path, bytes);
  const run = commandOn(dataDir);
  expect(await run('verify')).toMatchObject({ code: 1, stdout: expect.stringContaining('1 events do not match') });
  const exported = await run('export');
  expect(exported.code).toBe(1);
  expect(exported.stderr).toContain('left out');
  expect(idsOf(exported.stdout)).toHaveLength(99);
  expect(Buffer.from(await Bun.file(path).bytes()).equals(bytes)).toBe(true);
});

test('beside an instance under load: no request fails or waits, and every event is one row', async () => {
  const dataDir = temporaryFolder();
  const ledger = newLedger();
  for (const id of await filled(dataDir, 2_000)) ledger.acked.set(id, 'click');
  for (const id of await setAside(dataDir, 3_000)) ledger.acked.set(id, 'click');
  for (const id of ledger.acked.keys()) ledger.sent.set(id, 1);

  const ugc = await startUgc({ dataDir, flags: ['--request-log=false'] });
  // Not before: at its start an instance forgets whom its settings do not have.
  const retired = await open(dataDir);
  retired.source('archive');
  await retired.stats();
  await retired.close();
  const run = commandOn(dataDir);
  const loading = new AbortController();
  const loaded = load({
    url: ugc.url,
    random: randomOf('buffer commands'),
    ledger,
    clients: 4,
    signal: loading.signal,
  });
  const waits: number[] = [];
  const probing = (async () => {
    while (!loading.signal.aborted) {
      const event = click('probe');
      const startedAt = performance.now();
      expect((await ugc.post(event)).status).toBe(200);
      waits.push(performance.now() - startedAt);
      ledger.sent.set(event.event_id, 1);
      ledger.acked.set(event.event_id, 'click');
    }
  })();

  const refused = await run('forget etl --yes');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('stop it first') });
  for (const name of ['stat', 'inspect', 'verify', 'export', 'stat --json'])
    expect(await run(name), name).toMatchObject({ code: 0 });
  expect(await run('requeue --dry-run')).toMatchObject({ stdout: 'would requeue 3 000 events\n' });
  expect(await run('requeue')).toMatchObject({ code: 0, stdout: 'requeued 3 000 events\n' });
  expect(await run('forget archive')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--yes gives them up'),
  });
  expect(await run('forget archive --yes')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('forgot archive'),
  });
  expect(await run('verify')).toMatchObject({ code: 0 });
  loading.abort();
  await Promise.all([loaded, probing]);

  waits.sort((a, b) => a - b);
  console.log(
    `${waits.length} probes beside the commands: p50 ${waits[waits.length >> 1]!.toFixed(1)} ms, longest ${waits.at(-1)!.toFixed(0)} ms`,
  );
  expect([...ledger.failures.keys()]).toEqual([]);
  // A lock held for the length of a command would show as seconds, and as busy_timeout's 10 s.
  expect(waits.at(-1)!).toBeLessThan(9_000);
  await drained(ugc);
  const { lost, doubled } = await compare(ugc, ledger);
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  await eventually(async () => JSON.parse((await run('stat --json')).stdout).events === 0);
  expect(await ugc.stop()).toBe(0);
});

test('requeue killed at any moment, again and again: each record is in one place', async () => {
  const dataDir = temporaryFolder();
  const random = randomOf('requeue killed');
  const inLog = await filled(dataDir, 10);
  const aside = await setAside(dataDir, 6_000);
  const run = commandOn(dataDir);
  let killed = 0;
  for (;;) {
    const child = Bun.spawn([binary, 'buffer', 'requeue', `--data-dir=${dataDir}`], {
      stdout: 'ignore',
      stderr: 'ignore',
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), random.between(60, 200 + 15 * killed)); // it ends on a slow machine, too
    const code = await child.exited;
    clearTimeout(timer);
    if (code === 0) break;
    killed++;
    const left = JSON.parse((await run('stat --json')).stdout);
    expect(left.events + left.quarantined).toBe(6_010);
  }
  console.log(`killed ${killed} times`);
  const ids = idsOf((await run('export')).stdout);
  expect(ids.toSorted()).toEqual([...inLog, ...aside].toSorted());
  expect(await run('verify')).toMatchObject({ code: 0 });
});

test('requeue leaves what cannot be believed, what was not asked for, and what there is no room for', async () => {
  const dataDir = temporaryFolder();
  await filled(dataDir, 3_000);
  await setAside(dataDir, 3, 'body');
  const run = commandOn(dataDir);
  const refused = await run('requeue --reason=Kafka');
  expect(refused).toMatchObject({ code: 0, stdout: 'requeued 0 events\n' });
  const damaged = await run('requeue');
  expect(damaged.stdout).toStartWith('requeued 0 events\n3 records stay: damaged');
  expect(damaged.stdout).toContain('--reason=body');
  const full = await run('requeue --reason=body --buffer-bytes-max=1MiB');
  expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('stays in quarantine') });
  expect(JSON.parse((await run('stat --json')).stdout)).toMatchObject({ events: 3_000, quarantined: 3 });
  expect(JSON.parse((await run('requeue --reason=body --json')).stdout)).toEqual({
    requeued: 3,
    dry_run: false,
    left: [],
    full: false,
  });
  expect(JSON.parse((await run('stat --json')).stdout)).toMatchObject({ events: 3_003, quarantined: 0 });
});

test('a pipe that ends ends the command without a word, with the exit code by which shells know it', async () => {
  const dataDir = temporaryFolder();
  await filled(dataDir, 3_000);
  const piped = (command: string) =>
    Bun.spawnSync(['bash', '-c', `set -o pipefail; ${binary} buffer ${command} --data-dir=${dataDir} | head -c 100`]);
  for (const command of ['inspect --limit=0', 'export']) {
    const { exitCode, stderr } = piped(command);
    expect([command, exitCode, stderr.toString()]).toEqual([command, 141, '']);
  }
});

test('wrong use is said in words, with the nearest name', async () => {
  const dataDir = temporaryFolder();
  const run = commandOn(dataDir);
  expect(await run('stat')).toMatchObject({ code: 2, stderr: expect.stringContaining('--data-dir') });
  await filled(dataDir, 1);
  expect(await run('stat --jsno')).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean --json?') });
  expect(await run('inspect --limit=few --typ=x')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--limit.*\n.*did you mean --type\?/),
  });
  expect(await run('stat', ['more'])).toMatchObject({ code: 2, stderr: expect.stringContaining('more is not') });
  expect(await run('forget')).toMatchObject({ code: 2 });
  expect(await run('forget nobody')).toMatchObject({ code: 2, stderr: expect.stringContaining('no reader nobody') });
  expect(await runUgc(['buffer'])).toMatchObject({ code: 2, stderr: expect.stringContaining('stat, inspect') });
  expect(await runUgc(['buffer', 'stats'])).toMatchObject({ code: 2, stderr: expect.stringContaining('not stats') });
  for (const args of [
    ['help', 'buffer'],
    ['buffer', '--help'],
    ['buffer', 'stat', '--help'],
  ])
    expect((await runUgc(args)).stdout).toContain('ugc buffer requeue');
  // A query that begins with a comment is no flag.
  const commented = await runUgc(['query', '-- how many\nSELECT 1', `--data-dir=${dataDir}`]);
  expect(commented.stderr).toContain('there are no tables');
});
