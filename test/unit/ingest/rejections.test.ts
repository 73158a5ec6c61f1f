// Rejections counted: every one in exactly one row, whatever the order, bounded, and never in anybody's way.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../../schemas/catalogue.ts';
import { rejectionsTable } from '../../../schemas/rejections.ts';
import { PipelineError } from '../../../src/errors.ts';
import { type Rejections, type RejectionsOptions, startRejections } from '../../../src/ingest/rejections.ts';
import { type Refused, shapesOf } from '../../../src/ingest/shape.ts';
import type { Envelope, Log, Outcome } from '../../../src/ports/log.ts';
import { until } from '../../support/until.ts';

interface Row {
  readonly event_id: string;
  readonly timestamp: string;
  readonly instance: string;
  readonly what: string;
  readonly type: string;
  readonly reason: string;
  readonly path: string;
  readonly source: string;
  readonly rejected: number;
  readonly example: string;
}

const nowMs = Date.parse('2026-11-28T12:34:56.789Z');
const good: Outcome = { ok: true, stored: 'disk' };
const bad: Outcome = { ok: false, error: new PipelineError('buffer_full') };

/** A log that takes what `takes` allows, in memory. */
function open(options: Partial<RejectionsOptions> = {}) {
  const envelopes: Envelope[] = [];
  const state = { takes: true, lost: 0, offers: 0 };
  const log: Pick<Log, 'publish'> = {
    async publish(offered) {
      state.offers++;
      if (state.takes) envelopes.push(...offered);
      return offered.map(() => (state.takes ? good : bad));
    },
  };
  const rejections = startRejections({
    log,
    topic: 'ugc.rejections',
    shapes: shapesOf(() => catalogue),
    everyMs: 60_000,
    onLost: rejected => {
      state.lost += rejected;
    },
    now: () => nowMs,
    ...options,
  });
  return { rejections, state, envelopes, rows: () => envelopes.map(({ body }) => JSON.parse(body) as Row) };
}

const refused = (reason: Refused['reason'], type: string | null, path: string): Refused => ({
  reason,
  type,
  errors: [{ path }],
});
const wrong = refused('invalid', 'click', '/element');
const event = { event_type: 'click', element: 5 };
const sum = (rows: readonly Row[]): number => rows.reduce((total, { rejected }) => total + rejected, 0);

test('a row has every column of the table, in order, and no other', async () => {
  const { rejections, envelopes } = open();
  rejections.note(event, wrong, 'shop');
  await rejections.close();
  const [envelope] = envelopes as [Envelope];
  const row = JSON.parse(envelope.body) as Row;
  expect(Object.keys(row)).toEqual(rejectionsTable.columns.map(({ name }) => name));
  expect(row).toMatchObject({
    event_id: envelope.id,
    event_type: 'rejections',
    schema_version: 1,
    received_at: '2026-11-28T12:34:56.789Z',
    timestamp: '2026-11-28T12:34:00.000Z',
    what: 'event',
    type: 'click',
    reason: 'invalid',
    path: '/element',
    source: 'shop',
    rejected: 1,
    example: '{"event_type":"click","element":"<number>"}',
  });
  expect(envelope).toMatchObject({ type: 'rejections', version: 1, topic: 'ugc.rejections', key: null });
});

test('what is alike is one row, and the example is of the first', async () => {
  const { rejections, rows } = open();
  rejections.note(event, wrong, 'shop');
  rejections.note({ ...event, page_url: 'x' }, wrong, 'shop');
  rejections.note(event, wrong, 'other shop');
  rejections.note(event, refused('invalid', 'click', '/page_url'), 'shop');
  rejections.note({ event_type: 'nope' }, refused('unknown_type', null, '/event_type'), 'shop');
  await rejections.close();
  expect(rows().map(({ type, reason, path, source, rejected }) => [type, reason, path, source, rejected])).toEqual([
    ['click', 'invalid', '/element', 'shop', 2],
    ['click', 'invalid', '/element', 'other shop', 1],
    ['click', 'invalid', '/page_url', 'shop', 1],
    ['(unknown)', 'unknown_type', '/event_type', 'shop', 1],
  ]);
  expect(JSON.parse(rows()[0]!.example)).not.toHaveProperty('page_url');
});

describe('a body that was not read', () => {
  const noted = async (...errors: unknown[]) => {
    const { rejections, rows } = open();
    for (const error of errors) rejections.noteBody(error, 'shop');
    await rejections.close();
    return rows().map(({ what, type, reason, rejected, example }) => [what, type, reason, rejected, example]);
  };

  test('is a row beside events of the same reason, by its code', async () => {
    const { rejections, rows } = open();
    rejections.note(null, refused('not_json', null, ''), 'shop');
    rejections.noteBody(new PipelineError('not_json', 'a secret'), 'shop');
    await rejections.close();
    expect(rows().map(({ what, reason }) => [what, reason])).toEqual([
      ['event', 'not_json'],
      ['body', 'not_json'],
    ]);
    expect(JSON.stringify(rows())).not.toContain('secret');
  });

  test('counts for each of the codes that are for good', async () => {
    const codes = ['bad_request', 'too_large', 'unsupported_media_type', 'body_timeout'] as const;
    const errors = codes.map(code => new PipelineError(code));
    expect(await noted(...errors, ...errors)).toEqual(codes.map(code => ['body', '(unknown)', code, 2, '']));
  });

  test('is no rejection when it may come again, or the fault is ours', async () => {
    expect(await noted(new PipelineError('overloaded'), new PipelineError('internal'), new Error('bug'), 5)).toEqual(
      [],
    );
  });
});

test('nothing rejected is nothing written', async () => {
  const { rejections, state } = open();
  await rejections.close();
  expect(state.offers).toBe(0);
});

const refusals = fc.record({
  refused: fc.record({
    reason: fc.constantFrom('invalid', 'too_old', 'unknown_type', 'not_json'),
    type: fc.constantFrom(null, 'click', 'film_watched'),
    errors: fc.constantFrom([{ path: '/element' }], [{ path: '/x' }], [], [{ path: '' }]),
  }),
  source: fc.constantFrom('', 'a', 'b c', 'body', '(other)', '\ud800'),
});

test('the sum of the counts is the number of rejections, whatever their order and however few rows there may be', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(refusals, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), async (sent, rowsMax) => {
      const { rejections, rows, state } = open({ rowsMax });
      for (const { refused, source } of sent)
        if (refused.reason === 'not_json' && refused.type === null)
          rejections.noteBody(new PipelineError('not_json'), source);
        else rejections.note({}, refused as Refused, source);
      await rejections.close();
      expect([sum(rows()), state.lost]).toEqual([sent.length, 0]);
      expect(rows().length).toBeLessThanOrEqual(rowsMax + 1);
      expect(new Set(rows().map(({ event_id }) => event_id)).size).toBe(rows().length);
      for (const { source } of rows()) expect(source.isWellFormed()).toBe(true);
    }),
  );
});

test('combinations without end are one row beyond the bound, and known ones are counted on', async () => {
  const { rejections, rows } = open({ rowsMax: 10 });
  for (let round = 0; round < 3; round++) for (let at = 0; at < 100; at++) rejections.note(event, wrong, `key ${at}`);
  await rejections.close();
  expect(rows()).toHaveLength(11);
  expect(rows().at(-1)).toMatchObject({ what: '(other)', type: '(other)', reason: '(other)', rejected: 270 });
  expect(sum(rows())).toBe(300);
});

test('each stretch of time is written when it is over, by rows of its own', async () => {
  const { rejections, rows } = open({ everyMs: 20, now: Date.now });
  rejections.note(event, wrong, 'shop');
  await until(() => rows().length === 1, 'the first stretch is written');
  rejections.note(event, wrong, 'shop');
  await until(() => rows().length === 2, 'the second stretch is written');
  await rejections.close();
  const [first, second] = rows() as [Row, Row];
  expect(first.timestamp < second.timestamp).toBe(true);
  expect(first.instance).toBe(second.instance);
  expect([Date.parse(first.timestamp) % 20, Date.parse(second.timestamp) % 20]).toEqual([0, 0]);
});

test('what the log does not take is offered again under the same ids, and is there once', async () => {
  const { rejections, rows, state } = open({ everyMs: 20, now: Date.now });
  state.takes = false;
  rejections.note(event, wrong, 'shop');
  await until(() => state.offers > 2, 'it is offered again');
  state.takes = true;
  await until(() => rows().length > 0, 'it is written');
  await rejections.close();
  expect(rows().map(({ rejected }) => rejected)).toEqual([1]);
  expect(state.lost).toBe(0);
});

test('what waits is bounded; what is beyond it is lost and told of, and what waited is written at the stop', async () => {
  const { rejections, rows, state } = open({ everyMs: 20, now: Date.now, waitingMax: 3 });
  state.takes = false;
  for (let at = 0; at < 5; at++) for (let n = 0; n <= at; n++) rejections.note(event, wrong, `key ${at}`);
  await until(() => state.lost > 0, 'some are lost');
  state.takes = true;
  await rejections.close();
  expect(sum(rows()) + state.lost).toBe(15);
  expect(state.lost).toBe(9);
});

test('a log that hangs keeps nobody waiting', async () => {
  const held = Promise.withResolvers<void>();
  const log: Pick<Log, 'publish'> = {
    publish: async offered => {
      await held.promise;
      return offered.map(() => good);
    },
  };
  const { rejections } = open({ log, everyMs: 5, now: Date.now });
  const noted: Rejections['note'] = rejections.note;
  for (let at = 0; at < 1_000; at++) noted(event, wrong, 'shop'); // it returns, and that is all there is to it
  held.resolve();
  await rejections.close();
  await rejections.close();
});
