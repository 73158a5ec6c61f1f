// `ugc capacity` on the binary: as text and as JSON, by preset and by one's own numbers.

import { afterAll, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { cleanUp, runUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

interface Told {
  readonly coefficients: Readonly<Record<string, { readonly value: number; readonly from: string }>>;
  readonly demand: Readonly<Record<string, number>>;
  readonly needs: readonly { readonly name: string; readonly value: number; readonly formula: string }[];
}

test('a preset with its formulas; one’s own numbers in the place of its own', async () => {
  const text = await runUgc(['capacity', '--preset=collection-system']);
  expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: '' });
  for (const words of ['2 500 000 events', 'cores of ingest', '5 000/s', '[1] docs/figures.md'])
    expect(text.stdout).toContain(words);
  const own = await runUgc(['capacity', '--events-per-day=8640000', '--peak-factor=5', '--batch=10', '--json']);
  const { demand, needs } = JSON.parse(own.stdout) as Told;
  expect(demand).toMatchObject({ averagePerS: 100, peakPerS: 500, batch: 10, eventBytes: 331 });
  expect(needs.find(({ name }) => name === 'requests at the peak')?.value).toBe(50);
});

test('measured here: what an event costs is this machine’s, and the folder is gone', async () => {
  const folder = temporaryFolder();
  const { code, stdout, stderr } = await runUgc(['capacity', '--measure', '--json'], { env: { TMPDIR: folder } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('all roles') });
  const { coefficients } = JSON.parse(stdout) as Told;
  for (const name of ['ingestRequestUs', 'ingestEventUs', 'etlEventUs', 'measuredBytes']) {
    expect(coefficients[name]!.from).toStartWith('measured here just now');
    expect(coefficients[name]!.value).toBeGreaterThanOrEqual(0);
  }
  expect(coefficients.drainPerS!.from).toStartWith('docs/figures.md');
  expect(readdirSync(folder).filter(name => name.startsWith('ugc-measure-'))).toEqual([]);
});

test('what cannot be is told', async () => {
  for (const [args, words] of [
    [['--rate=5', '--events-per-day=5'], 'give one'],
    [['--rate=0'], 'above 0'],
    [['--preset=none'], 'must be ugc-and-stat'],
    [['100'], 'not understood'],
  ] as const) {
    const { code, stderr } = await runUgc(['capacity', ...args]);
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(stderr).toContain(words);
  }
});
