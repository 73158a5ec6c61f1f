// `ugc load` on the binary: what it accepted is in the tables, what is broken is counted, and a server that dies under it changes
// neither.

import { afterAll, expect, test } from 'bun:test';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

interface Told {
  readonly seed: number;
  readonly requests: number;
  readonly events: number;
  readonly outcomes: Readonly<Record<'accepted' | 'refused' | 'failed' | 'wrongly_refused' | 'wrongly_taken', number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly unsent_requests: number;
  readonly levels: readonly { readonly asked_per_s: number }[];
  readonly verified: Readonly<Record<'accepted' | 'rows' | 'missing' | 'duplicate', number>> | null;
}

test('every shape: accepted, verified, and broken events refused one by one', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const common = [`--url=${ugc.url}`, `--data-dir=${dataDir}`, '--duration=1', '--batch=20', '--verify', '--json'];
  for (const shape of ['single', 'batch', 'ndjson', 'beacon', 'segment']) {
    const flags = shape === 'ndjson' ? ['--gzip'] : ['--clock-skew=20'];
    const { code, stdout } = await runUgc([
      'load',
      ...common,
      ...flags,
      `--shape=${shape}`,
      '--rate=400',
      '--seed=11',
      '--bad-share=10%',
      '--duplicate-share=0.1',
    ]);
    const { events, requests, outcomes, unsent_requests, verified } = JSON.parse(stdout) as Told;
    const due = shape === 'single' || shape === 'beacon' ? 400 : 20;
    expect({ shape, code, due: requests + unsent_requests }).toEqual({ shape, code: 0, due });
    expect(outcomes).toMatchObject({ wrongly_refused: 0, wrongly_taken: 0, failed: 0 });
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.accepted + outcomes.refused).toBe(events);
    expect(verified).toMatchObject({ missing: 0, duplicate: 0, rows: verified!.accepted });
    expect(verified!.accepted).toBeLessThan(outcomes.accepted); // repeated ones are one row
  }
  const steps = await runUgc(['load', ...common, '--rate=300', '--steps=3', '--types=click,cart_add']);
  expect((JSON.parse(steps.stdout) as Told).levels.map(level => Math.round(level.asked_per_s))).toEqual([
    100, 200, 300,
  ]);
  const text = await runUgc([
    'load',
    `--url=${ugc.url}`,
    `--data-dir=${dataDir}`,
    '--rate=200',
    '--duration=1',
    '--verify',
  ]);
  expect(text.stdout).toContain('0 missing, 0 duplicate');
  expect(text.stdout).toContain('from when a request was due');
  expect(await ugc.stop()).toBe(0);
});

test('killed in the middle and started again: the cut ones are told, and what was accepted is there', async () => {
  const dataDir = temporaryFolder();
  const first = await startUgc({ dataDir });
  const port = new URL(first.url).port;
  const loading = runUgc([
    'load',
    `--url=${first.url}`,
    `--data-dir=${dataDir}`,
    '--rate=2000',
    '--duration=8',
    '--verify',
    '--json',
    '--seed=5',
  ]);
  await eventually(
    async () => Number((await first.query<{ n: string }>('SELECT count() AS n FROM ugc.events'))[0]!.n) > 500,
  );
  first.kill('SIGKILL');
  await first.exited;
  const second = await startUgc({ dataDir, flags: [`--port=${port}`] });
  const { code, stdout } = await loading;
  const { answers, verified } = JSON.parse(stdout) as Told;
  expect(answers.cut ?? 0).toBeGreaterThan(0);
  expect(verified).toMatchObject({ missing: 0, duplicate: 0 });
  expect(verified!.accepted).toBeGreaterThan(500);
  expect(code).toBe(0);
  await second.stop();
});

test('an accepted event without a row is missing, and nobody there is a failure; wrong use is told', async () => {
  // A server that says yes and stores nothing.
  const liar = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async request => {
      const { event_id } = (await request.json()) as { event_id: string };
      return Response.json({ event_id, outcome: 'accepted', stored: 'disk' });
    },
  });
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const lied = await runUgc([
    'load',
    `--url=http://127.0.0.1:${liar.port}`,
    `--data-dir=${dataDir}`,
    '--rate=50',
    '--duration=1',
    '--verify',
    '--verify-seconds=1',
  ]);
  await liar.stop(true);
  expect(lied.code).toBe(1);
  expect(lied.stdout).toMatch(/ ([1-9]\d?) events? accepted, 0 rows, \1 missing/);
  expect(lied.stdout).toMatch(/ugc trace [0-9a-f-]{36}/);
  await ugc.stop();
  const nobody = await runUgc(['load', `--url=${ugc.url}`, '--duration=1']);
  expect(nobody.code).toBe(1);
  expect(nobody.stderr).toContain('nobody takes a connection');
  for (const [args, words] of [
    [['--rate=0', '--steps=2'], 'rise to a rate'],
    [['http://127.0.0.1'], '--url='],
    [['--bad-share=2'], 'must be a share'],
    [['--types=nothing_such'], 'ugc schema ls'],
  ] as const) {
    const { code, stderr } = await runUgc(['load', ...args]);
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(stderr).toContain(words);
  }
}, 120_000);
