// Rules in the compiled binary: made beside a running instance, counted, known to reconcile, and gone again; diverted events
// go to their topic, also by way of the disk while Kafka is down, and never become rows.

import { afterAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { isWithoutKafka, startKafka } from '../support/kafka.ts';
import { readKafka } from '../support/kafka-oracle.ts';
import { drained, metric } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const closing: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closing.map(close => close())));

const clickOf = (user: string) => ({
  ...exampleClick,
  event_id: crypto.randomUUID(),
  timestamp: new Date().toISOString(),
  user_id: user,
});

function rulesIn(dataDir: string) {
  const run = (...args: string[]) => runUgc(['rules', ...args, `--data-dir=${dataDir}`]);
  return {
    run,
    /** Its id, alone on stdout. */
    async add(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await run('add', ...args);
      expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{8}\n$/) });
      return stdout.trim();
    },
  };
}

async function outcomeOf(ugc: Ugc, event: object): Promise<string> {
  const response = await ugc.post(event);
  const { outcome, stored } = (await response.json()) as Record<string, string>;
  return `${response.status} ${outcome} ${stored ?? ''}`.trim();
}

test('a user is dropped within a second, others are not; reconcile closes and says how many; then the rule goes', async () => {
  const dataDir = temporaryFolder();
  const rules = rulesIn(dataDir);
  const ugc = await startUgc({ dataDir, flags: ['--ledger'] });
  expect(await outcomeOf(ugc, clickOf('mad'))).toBe('200 accepted disk');
  const id = await rules.add('drop', '--user=mad', '--event-type=click', '--why=a loop');
  await eventually(async () => (await outcomeOf(ugc, clickOf('mad'))) === '200 dropped', { what: 'the rule holds' });
  expect(await outcomeOf(ugc, clickOf('sane'))).toBe('200 accepted disk');
  const many = await ugc.post([clickOf('mad'), clickOf('sane'), clickOf('mad')]);
  expect([many.status, await many.json()]).toEqual([200, expect.objectContaining({ accepted: 1, dropped: 2 })]);
  const last = clickOf('mad');
  await outcomeOf(ugc, last);
  expect(await (await fetch(`${ugc.url}/v1/receipts/${last.event_id}`)).json()).toMatchObject({ state: 'dropped' });
  const listed = await rules.run('ls');
  expect(listed.stdout).toMatch(new RegExp(`${id} .*drop .*event_type click, user mad .*a loop`));
  expect((await rules.run('rm', id)).code).toBe(0);
  expect((await rules.run('rm', id)).code).toBe(1);
  await eventually(async () => (await outcomeOf(ugc, clickOf('mad'))) === '200 accepted disk', { what: 'it is gone' });
  const dropped = await metric(ugc.url, 'ugc_ruled_total');
  expect(dropped).toBeGreaterThanOrEqual(3);

  writeFileSync(
    join(dataDir, 'rules.json'),
    '{"rules":[{"id":"abcd","action":"drop","created_at":"2026-01-01T00:00:00Z"}]}',
  );
  await eventually(async () => {
    const { detail } = (await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { detail: Record<string, string> };
    return detail.rules?.includes('would take every event there is');
  });
  expect(await outcomeOf(ugc, clickOf('mad'))).toBe('200 accepted disk');
  await drained(ugc);
  expect(await ugc.stop()).toBe(0);
  const refused = await runUgc([`--data-dir=${dataDir}`, '--port=0']);
  expect([refused.code, refused.stderr]).toEqual([
    expect.any(Number),
    expect.stringContaining('would take every event'),
  ]);
  expect(refused.code).not.toBe(0);

  writeFileSync(join(dataDir, 'rules.json'), '{"rules":[]}');
  const quiet = await startUgc({ dataDir });
  await drained(quiet);
  expect(await quiet.stop()).toBe(0);
  const soon = `--to=${new Date(Date.now() + 120_000).toISOString()}`;
  const balance = await runUgc(['reconcile', '--json', soon, `--data-dir=${dataDir}`]);
  expect([balance.code, JSON.parse(balance.stdout)]).toMatchObject([
    0,
    { closes: true, ruled: [{ type: 'click', events: dropped }] },
  ]);
  const words = await runUgc(['reconcile', soon, `--data-dir=${dataDir}`]);
  expect(words.stdout).toContain('By rules, and so without a row');
});

test('what cannot be meant is refused in words, and a divert without Kafka too', async () => {
  const dataDir = temporaryFolder();
  const { run } = rulesIn(dataDir);
  for (const [args, words] of [
    [['drop'], 'would take every event there is'],
    [['burn', '--user=u'], 'drop, sample, divert'],
    [['sample'], 'sample needs it'],
    [['sample', '--share=2'], '0 to 1'],
    [['drop', '--event-type=clik'], 'is not an event type'],
    [['drop', '--address=here'], 'addresses or networks'],
    [['divert', '--user=u'], 'divert needs it'],
  ] as const) {
    const { code, stdout, stderr } = await run('add', ...args);
    expect({ args, code, stdout, stderr }).toEqual({
      args,
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(words),
    });
  }
  expect((await run('ls')).stderr).toContain('there are none');
  expect((await run('add', 'divert', '--user=u', '--topic=aside')).code).toBe(0);
  const refused = await runUgc([`--data-dir=${dataDir}`, '--port=0']);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('needs a broker');
});

const noKafka = await isWithoutKafka('own');

test.skipIf(noKafka)(
  'diverted events lie in their topic and are no rows, whether Kafka takes them or the disk does meanwhile',
  async () => {
    const kafka = await startKafka();
    closing.push(() => kafka.stopForGood());
    const dataDir = temporaryFolder();
    const ugc = await startUgc({ dataDir, flags: [`--kafka-brokers=${kafka.brokers.join(',')}`] });
    closing.push(() => ugc.stop());
    await eventually(async () => (await outcomeOf(ugc, clickOf('sane'))) === '200 accepted kafka', { what: 'Kafka' });
    await rulesIn(dataDir).add('divert', '--user=odd', '--topic=aside');
    const odd: string[] = [];
    const sendOdd = async (): Promise<string> => {
      const event = clickOf('odd');
      const outcome = await outcomeOf(ugc, event);
      if ((await metric(ugc.url, 'ugc_ruled_total')) > odd.length) odd.push(event.event_id);
      return outcome;
    };
    await eventually(async () => (await sendOdd()) === '200 accepted kafka' && odd.length > 0, {
      what: 'the rule holds',
    });
    await kafka.kill();
    await eventually(async () => (await sendOdd()) === '200 accepted disk', { what: 'the disk takes them' });
    const rows = await ugc.query<{ n: string }>("SELECT count() AS n FROM ugc.click WHERE user_id = 'odd'");
    await kafka.restart();
    await drained(ugc);
    expect([...(await readKafka(kafka.brokers, ['aside'])).events.keys()].sort()).toEqual(odd.toSorted());
    expect(await ugc.query("SELECT count() AS n FROM ugc.click WHERE user_id = 'odd'")).toEqual(rows);
  },
);
