// The ledger: every answer in exactly one entry, numbers without a gap, whatever the log does meanwhile.

import { expect, test } from 'bun:test';
import { startLedger } from '../../../src/ingest/ledger.ts';
import type { Envelope, Log, Outcome } from '../../../src/ports/log.ts';
import { until } from '../../support/until.ts';

interface Entry {
  readonly event_id: string;
  readonly timestamp: string;
  readonly instance: string;
  readonly sequence: number;
  readonly is_last: boolean;
  readonly type: string;
  readonly ids: readonly string[];
  readonly ruled?: readonly string[];
  readonly unsure: readonly string[];
}

const at = Date.parse('2026-11-22T01:02:03.456Z');
const envelope = (id: string, type = 'click', receivedAtMs = at): Envelope => ({
  id,
  type,
  version: 1,
  topic: `ugc.${type}`,
  key: null,
  body: '{}',
  receivedAtMs,
});
const good: Outcome = { ok: true, stored: 'disk' };
const bad = { ok: false } as Outcome;

/** A log that takes what `takes` allows, in memory. */
function open(options: Partial<Parameters<typeof startLedger>[0]> = {}) {
  const entries: Entry[] = [];
  const state = { takes: true, dropped: 0, offered: 0 };
  const log: Log = {
    async publish(envelopes) {
      state.offered += envelopes.length;
      if (state.takes) entries.push(...envelopes.map(({ body }) => JSON.parse(body) as Entry));
      return envelopes.map(() => (state.takes ? good : bad));
    },
    close: async () => {},
  };
  const onDropped = (count: number): void => {
    state.dropped += count;
  };
  const ledger = startLedger({ log, type: 'ledger', topic: 'ugc.ledger', writeEveryMs: 60_000, onDropped, ...options });
  return { ledger, entries, state };
}

test('what was accepted is written by type and minute, as often as it was, and what failed beside it', async () => {
  const { ledger, entries } = open();
  ledger.note([envelope('a'), envelope('b', 'page_view'), envelope('a'), envelope('c')], [good, good, good, bad]);
  ledger.note([envelope('d', 'click', at + 60_000)], [good]);
  await ledger.close();
  const told = entries.map(({ timestamp, type, ids, unsure, is_last }) => [
    timestamp.slice(11, 16),
    type,
    ids,
    unsure,
    is_last,
  ]);
  expect(told.slice(0, 3)).toEqual([
    ['01:02', 'click', ['a', 'a'], ['c'], false],
    ['01:02', 'page_view', ['b'], [], false],
    ['01:03', 'click', ['d'], [], false],
  ]);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  expect(entries.at(-1)).toMatchObject({ is_last: true, type: '', ids: [] });
  expect(new Set(entries.map(({ instance }) => instance)).size).toBe(1);
});

test('a full entry leaves at once, a started one after a while', async () => {
  const { ledger, entries } = open({ idsMax: 2, writeEveryMs: 20 });
  ledger.note(
    ['a', 'b', 'c'].map(id => envelope(id)),
    [good, good, good],
  );
  await Promise.resolve();
  expect(entries.map(({ ids }) => ids)).toEqual([['a', 'b']]);
  await until(() => entries.length === 2, 'the second entry has left');
  expect(entries.map(({ ids }) => ids)).toEqual([['a', 'b'], ['c']]);
  await ledger.close();
});

test('entries the log does not take are written later, the same as they were; each counts once', async () => {
  const { ledger, entries, state } = open({ idsMax: 1 });
  state.takes = false;
  for (const id of ['a', 'b', 'c']) ledger.note([envelope(id)], [good]);
  await until(() => state.offered >= 3, 'each entry was offered');
  expect(entries).toEqual([]);
  state.takes = true;
  await ledger.close();
  expect(entries.flatMap(({ ids }) => ids).toSorted()).toEqual(['a', 'b', 'c']);
  expect(entries.map(({ sequence }) => sequence).toSorted()).toEqual([1, 2, 3, 4]);
});

test('beyond a bound entries are dropped, told, and leave a gap in the numbers', async () => {
  const { ledger, entries, state } = open({ idsMax: 1, waitingMax: 2 });
  state.takes = false;
  ledger.note(
    ['a', 'b', 'c', 'd'].map(id => envelope(id)),
    [good, good, good, good],
  );
  expect(state.dropped).toBe(2);
  state.takes = true;
  await ledger.close();
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 5]);
});

test('an instance that has taken nothing writes nothing', async () => {
  const { ledger, entries } = open();
  await ledger.close();
  expect(entries).toEqual([]);
});

test('what rules took is in an entry of its own words, and only where there is some', async () => {
  const { ledger, entries } = open();
  ledger.note([envelope('a')], [good]);
  ledger.noteRuled([envelope('b'), envelope('c')]);
  ledger.noteRuled([envelope('d', '(diverted)')]);
  await ledger.close();
  expect(entries.map(({ type, ids, ruled }) => ({ type, ids, ruled }))).toEqual([
    { type: 'click', ids: ['a'], ruled: ['b', 'c'] },
    { type: '(diverted)', ids: [], ruled: ['d'] },
    { type: '', ids: [], ruled: undefined },
  ]);
});
