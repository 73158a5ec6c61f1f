// The parts of doctor that need no server: what a metric's line says, who is too slow, how findings are told, what a volume is.

import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBoundOf, openFilesMaxOf } from '../../../../src/adapters/linux/bounds.ts';
import { fileSystemOf, holdersOf } from '../../../../src/adapters/linux/volume.ts';
import { PipelineError } from '../../../../src/errors.ts';
import { doubtful, good, wrong } from '../../../../src/operate/doctor/check.ts';
import { examine } from '../../../../src/operate/doctor/examine.ts';
import { samplesIn, sumOf } from '../../../../src/operate/doctor/instance.ts';
import { reportOf, textOf } from '../../../../src/operate/doctor/report.ts';

describe('metrics in Prometheus’ text', () => {
  const samples = samplesIn(`# HELP ugc_etl_lag_events Events
# TYPE ugc_etl_lag_events gauge
ugc_etl_lag_events{topic="ugc.click"} 3
ugc_etl_lag_events{topic="a \\"b\\", c}"} 4.5e1 1700000000000
ugc_buffer_events 0
ugc_odd NaN
half a line{
`);

  test('are read with their labels, whatever stands in them', () => {
    expect(samples.get('ugc_etl_lag_events')).toEqual([
      { labels: { topic: 'ugc.click' }, value: 3 },
      { labels: { topic: 'a "b", c}' }, value: 45 },
    ]);
  });

  test('are summed; what has no sample is not known, which is not 0', () => {
    expect(sumOf(samples, 'ugc_etl_lag_events')).toBe(48);
    expect(sumOf(samples, 'ugc_buffer_events')).toBe(0);
    expect(sumOf(samples, 'ugc_archive_lag_events')).toBeNull();
    expect(samplesIn('').size).toBe(0);
  });
});

describe('examining', () => {
  const hint = 'do this';

  test('a probe that does not answer, one that fails and a bug are findings, and keep no other from being told', async () => {
    let isOver = false;
    const silent = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        isOver = true;
      });
      return new Promise<never>(() => {});
    };
    const [first, second] = await examine(
      [
        {
          name: 'one',
          probes: [
            { id: 'one.silent', hint, page: 'docs/x.md', look: silent },
            { id: 'one.good', hint, look: () => [good('one.good', 'well')] },
          ],
        },
        {
          name: 'two',
          probes: [
            { id: 'two.refused', hint, look: () => Promise.reject(new PipelineError('log_halted', 'refused')) },
            {
              id: 'two.bug',
              hint,
              look: () => {
                throw new TypeError('not a function');
              },
            },
          ],
        },
      ],
      20,
    );
    expect(first?.checks).toMatchObject([
      { id: 'one.silent', result: 'error', seen: 'no answer within 0.02 s', hint, page: 'docs/x.md' },
      { id: 'one.good', result: 'success' },
    ]);
    expect(second?.checks).toMatchObject([
      { id: 'two.refused', result: 'error', seen: 'refused', hint },
      { id: 'two.bug', result: 'error', seen: expect.stringContaining('not a function') },
    ]);
    expect(isOver).toBe(true);
  });
});

describe('the report', () => {
  const categories = [
    {
      name: 'disk',
      checks: [
        good('disk.kind', 'ext4'),
        doubtful('disk.room', { seen: 'little', follows: 'it fills', hint: 'make room' }),
      ],
    },
    { name: 'nothing', checks: [] },
  ];

  test('what is doubtful is no failure, what is wrong is', () => {
    expect(reportOf(categories, 1.4)).toMatchObject({ success: true, tookMs: 1 });
    const more = [
      ...categories,
      { name: 'clock', checks: [wrong('clock.here', { seen: 'off', follows: 'c', hint: 'd' })] },
    ];
    expect(reportOf(more, 1).success).toBe(false);
  });

  test('for people: a sign and a line each, the next step below; a stranger’s bytes are no commands to the terminal', () => {
    const page = 'docs/operate/clock.md';
    const text = textOf(
      reportOf(
        [
          ...categories,
          { name: 'clock', checks: [wrong('clock.here', { seen: 'a\u001b[2J\nb', follows: 'c', hint: 'd', page })] },
        ],
        1_500,
      ),
      false,
    );
    expect(text).toBe(`disk
  ✓ disk.kind  ext4
  ! disk.room  little
      so: it fills
      do: make room

clock
  ✗ clock.here  a\ufffd[2J
      b
      so: c
      do: d
      see: docs/operate/clock.md

1 well, 1 doubtful, 1 wrong; looked for 1.5 s
`);
  });
});

describe.skipIf(process.platform !== 'linux')('what the kernel says', () => {
  test('the kind of a volume, also of a folder that is none', () => {
    expect(fileSystemOf('/proc')).toBe('proc');
    expect(fileSystemOf('/proc/self/fd')).toBe('proc');
    expect(fileSystemOf('/no/such/folder')).toBeNull();
  });

  test('who holds a lock on a file, without trying for one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-locks-'));
    try {
      const path = join(folder, 'a.sqlite');
      closeSync(openSync(path, 'w'));
      expect(holdersOf(path)).toEqual([]);
      const db = new Database(path);
      db.run('PRAGMA locking_mode = EXCLUSIVE');
      db.run('CREATE TABLE t (x)');
      expect(holdersOf(path)).toEqual([process.pid]);
      db.close();
      expect(holdersOf(path)).toEqual([]);
      expect(holdersOf(join(folder, 'none'))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('open files at most, and memory where it is bounded', () => {
    expect(openFilesMaxOf()).toBeGreaterThan(0);
    expect(openFilesMaxOf(0)).toBeNull();
    const bound = memoryBoundOf();
    if (bound !== null) expect(bound.bytesMax).toBeGreaterThan(2 ** 20);
  });
});
