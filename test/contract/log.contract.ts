// What every Log does: one outcome per envelope, in order, and it never rejects.

import { describe, expect, test } from 'bun:test';
import type { Log, Stored } from '../../src/ports/log.ts';
import { envelope, envelopes } from '../support/buffer.ts';

export interface LogUnderTest {
  readonly log: Log;
  readonly stored: Stored;
  /** Ids of what a reader of the log gets. */
  readBack(): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

export function logContract(name: string, open: () => Promise<LogUnderTest>): void {
  const withLog = async (check: (under: LogUnderTest) => Promise<void>): Promise<void> => {
    const under = await open();
    try {
      await check(under);
    } finally {
      await under.dispose();
    }
  };

  describe(`the log contract on ${name}`, () => {
    test('every envelope published has an outcome in its place, and can be read', () =>
      withLog(async ({ log, stored, readBack }) => {
        const outcomes = await log.publish([...envelopes(3, 'click'), ...envelopes(2, 'page_view', 'p')]);
        expect(outcomes).toEqual(Array(5).fill({ ok: true, stored }));
        expect([...(await readBack())].sort()).toEqual(['e0', 'e1', 'e2', 'p0', 'p1']);
      }));

    test('nothing published has no outcome', () =>
      withLog(async ({ log }) => {
        expect(await log.publish([])).toEqual([]);
      }));

    test('after close each envelope gets an error, nothing rejects, and closing again is harmless', () =>
      withLog(async ({ log }) => {
        await log.close();
        await log.close();
        const outcomes = await log.publish([envelope('a'), envelope('b')]);
        expect(outcomes).toHaveLength(2);
        for (const outcome of outcomes) expect(outcome).toMatchObject({ ok: false, error: { name: 'PipelineError' } });
      }));
  });
}
