import { beforeEach, describe, expect, test } from 'bun:test';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import type { Rules } from '../../../src/door/rules/rules.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { Answer } from '../../../src/http/answer.ts';
import { acceptOf } from '../../../src/ingest/accept.ts';
import type { Ledger } from '../../../src/ingest/ledger.ts';
import type { Reading } from '../../../src/ingest/reading.ts';
import type { Envelope, Log } from '../../../src/ports/log.ts';
import { click, film, judgeOptions, originOf } from '../../support/edge.ts';
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts';
import { sharedMetrics as metrics, samplesOf } from '../../support/quiet.ts';

let log: MemoryLog;
beforeEach(() => {
  log = memoryLog();
  metrics.registry.resetMetrics();
});

const many = (...events: unknown[]): Reading => ({ isSingle: false, events, sentAt: undefined });
const single = (event: unknown): Reading => ({ isSingle: true, events: [event], sentAt: undefined });

const judge = judgeOf(judgeOptions);
const accept = (reading: Reading, to: Log = log): Promise<Answer> =>
  acceptOf({ judge, log: to, metrics })(reading, originOf());

const full = new PipelineError('buffer_full');
const ids = [
  '0190a0b1-c2d3-7e4f-8a5b-000000000001',
  '0190a0b1-c2d3-7e4f-8a5b-000000000002',
  '0190a0b1-c2d3-7e4f-8a5b-000000000003',
];
const clicks = ids.map(event_id => ({ ...click, event_id }));
const accepted = (at: number, stored = 'disk') => ({ event_id: ids[at], outcome: 'accepted', stored });

/** Status, body, and whichever headers matter here. */
function seen({ status, headers, body }: Answer) {
  const retryAfter = headers['retry-after'];
  return { status, body: JSON.parse(body) as unknown, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

describe('a single event', () => {
  test('that is durable is answered with its id and where it lies', async () => {
    expect(seen(await accept(single(clicks[0])))).toEqual({ status: 200, body: accepted(0) });
    expect(seen(await accept(single(clicks[1]), memoryLog('kafka')))).toEqual({
      status: 200,
      body: accepted(1, 'kafka'),
    });
    expect(log.published.map(({ id }) => id)).toEqual([ids[0]!]);
  });

  test('that looks wrong says so, and of any other the answer is byte for byte what it was', async () => {
    const plain = `{"event_id":"${ids[0]}","outcome":"accepted","stored":"disk"`;
    expect((await accept(single(clicks[0]))).body).toBe(`${plain}}`);
    const late = await accept(single({ ...clicks[0], sent_at: '2026-11-21T10:00:00Z' }));
    expect(late.body).toBe(`${plain},"warning":["clock_corrected"]}`);
    const among = await accept(many({ ...clicks[0], sent_at: '2026-11-21T10:00:00Z' }, clicks[1]));
    const second = JSON.stringify(accepted(1));
    expect(among.body).toBe(
      `{"accepted":2,"rejected":0,"results":[${plain},"warning":["clock_corrected"]},${second}]}`,
    );
  });

  test('is not answered before it is durable', async () => {
    const release = log.hold();
    let isAnswered = false;
    const answering = accept(single(click)).finally(() => {
      isAnswered = true;
    });
    for (let turn = 0; turn < 20; turn++) await null;
    expect(isAnswered).toBe(false);
    release();
    expect((await answering).status).toBe(200);
  });

  test('that is rejected is a problem with its reason and every finding', async () => {
    const answer = await accept(single({ ...click, element: 5, x: 1 }));
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(seen(answer)).toEqual({
      status: 422,
      body: {
        type: 'urn:ugc:problem:invalid',
        title: 'What was sent is not valid',
        status: 422,
        detail: expect.stringContaining('/element'),
        reason: 'invalid',
        errors: [
          { path: '/element', message: 'expected text of at most 1024 characters, got 5' },
          { path: '/x', message: expect.stringContaining('no field') },
        ],
      },
    });
    expect(log.published).toEqual([]);
  });

  test.each([
    ['an unknown type', { ...click, event_type: 'clik' }, 422, 'unknown_type'],
    ['a time long ago', { ...click, timestamp: '2001-01-01T00:00:00Z' }, 422, 'too_old'],
    ['a time ahead', { ...click, timestamp: '2031-01-01T00:00:00Z' }, 422, 'in_future'],
    ['too many bytes', { ...click, properties: { a: 'x'.repeat(70_000) } }, 413, 'too_large'],
    ['no JSON', new PipelineError('not_json', 'line 1, column 1'), 400, 'not_json'],
    ['null', null, 422, 'invalid'],
  ])('with %s has its own status', async (_, event, status, reason) => {
    expect(seen(await accept(single(event)))).toMatchObject({ status, body: { status, reason } });
  });

  test('of a type that its key may not send is 403, and costs those beside it nothing', async () => {
    const origin = originOf({ source: 'shop', eventTypes: new Set(['click']) });
    const may = acceptOf({ judge, log, metrics });
    expect(seen(await may(single(film), origin))).toMatchObject({
      status: 403,
      body: { type: 'urn:ugc:problem:forbidden', reason: 'not_allowed', errors: [{ path: '/event_type' }] },
    });
    expect(seen(await may(many(film, clicks[0]), origin))).toMatchObject({
      status: 207,
      body: { results: [{ outcome: 'rejected', reason: 'not_allowed' }, accepted(0)] },
    });
    expect(log.published.map(({ type }) => type)).toEqual(['click']);
  });

  test('that the log cannot take is 503 with a time to try again', async () => {
    log.fail(() => full);
    expect(seen(await accept(single(click)))).toMatchObject({
      status: 503,
      body: { type: 'urn:ugc:problem:buffer-full' },
      retryAfter: '5',
    });
    log.fail(() => new PipelineError('buffer_failed'));
    expect(seen(await accept(single(click)))).toMatchObject({ status: 503, retryAfter: '1' });
  });

  test('without an outcome is a failure of ours', async () => {
    const forgetful: Log = { publish: async () => [], close: async () => {} };
    expect(seen(await accept(single(click), forgetful))).toMatchObject({ status: 500 });
  });
});

describe('with a clock', () => {
  const now = (isCertain: boolean) => ({ problem: () => ({ words: 'the clock says 1970', isCertain }) });
  const by = (isCertain: boolean, reading: Reading) =>
    acceptOf({ judge, log, metrics, clock: now(isCertain) })(reading, originOf());
  const ahead = { ...click, timestamp: '2031-01-01T00:00:00Z' };

  test('that is wrong for certain nothing is taken', async () => {
    for (const reading of [single(click), many(click, film)])
      expect(seen(await by(true, reading))).toMatchObject({
        status: 503,
        body: { type: 'urn:ugc:problem:clock-wrong', detail: 'the clock says 1970' },
        retryAfter: '60',
      });
    expect(log.published).toEqual([]);
  });

  test('that is doubted no event is refused for good because of its time, and others are taken', async () => {
    for (const reading of [single(ahead), many(ahead, { ...click, timestamp: '2001-01-01T00:00:00Z' }, { no: 'type' })])
      expect(seen(await by(false, reading))).toMatchObject({ status: 503, retryAfter: '60' });
    expect(seen(await by(false, single(clicks[0])))).toEqual({ status: 200, body: accepted(0) });
    expect(seen(await by(false, single({ no: 'type' })))).toMatchObject({ status: 422 });
    const failed = { outcome: 'failed', reason: 'clock_wrong', retry: true };
    expect(seen(await by(false, many(clicks[1], ahead, { ...ahead, event_id: ids[2] })))).toEqual({
      status: 207,
      body: { accepted: 1, rejected: 2, results: [accepted(1), failed, { event_id: ids[2], ...failed }] },
    });
  });
});

describe('many events', () => {
  test('that are all durable are 200, in the body’s order', async () => {
    expect(seen(await accept(many(...clicks)))).toEqual({
      status: 200,
      body: { accepted: 3, rejected: 0, results: [accepted(0), accepted(1), accepted(2)] },
    });
    expect(log.published.map(({ id }) => id)).toEqual(ids);
  });

  test('of which some are rejected are 207, each finding in its place, and the good ones are stored', async () => {
    const unreadable = new PipelineError('not_json', 'line 1, column 2: value expected');
    expect(seen(await accept(many({ ...click, element: 5 }, clicks[1], unreadable, null, clicks[0])))).toEqual({
      status: 207,
      body: {
        accepted: 2,
        rejected: 3,
        results: [
          { outcome: 'rejected', reason: 'invalid', errors: [{ path: '/element', message: expect.any(String) }] },
          accepted(1),
          {
            outcome: 'rejected',
            reason: 'not_json',
            errors: [{ path: '', message: 'line 1, column 2: value expected' }],
          },
          {
            outcome: 'rejected',
            reason: 'invalid',
            errors: [{ path: '', message: 'expected an event object, got null' }],
          },
          accepted(0),
        ],
      },
    });
    expect(log.published.map(({ id }) => id)).toEqual([ids[1]!, ids[0]!]);
  });

  test('that are all rejected are 422, one of them too', async () => {
    expect(seen(await accept(many(null, 5)))).toMatchObject({ status: 422, body: { accepted: 0, rejected: 2 } });
    expect(seen(await accept(many(null)))).toMatchObject({ status: 422, body: { accepted: 0, rejected: 1 } });
  });

  test('that are none are 422', async () => {
    expect(seen(await accept(many()))).toMatchObject({ status: 422, body: { detail: 'the body holds no event' } });
  });

  test('with one event_id twice are both accepted: it is one row in the end', async () => {
    const warning = ['repeated'];
    expect(seen(await accept(many(clicks[0], clicks[1], clicks[0], clicks[0])))).toMatchObject({
      status: 200,
      body: {
        accepted: 4,
        results: [accepted(0), accepted(1), { ...accepted(0), warning }, { ...accepted(0), warning }],
      },
    });
    expect(log.published.map(({ id }) => id)).toEqual([ids[0]!, ids[1]!]);
  });

  test('that the log takes none of are 503, whatever else was wrong', async () => {
    log.fail(() => full);
    expect(seen(await accept(many(...clicks)))).toMatchObject({ status: 503, retryAfter: '5' });
    expect(seen(await accept(many(clicks[0], null)))).toMatchObject({ status: 503, retryAfter: '5' });
  });

  test('that the log takes some of say which, and that the others may be sent again', async () => {
    log.fail(envelope => (envelope.id === ids[1] ? full : null));
    expect(seen(await accept(many(...clicks, null)))).toMatchObject({
      status: 207,
      body: {
        accepted: 2,
        rejected: 2,
        results: [
          accepted(0),
          { event_id: ids[1]!, outcome: 'failed', reason: 'buffer_full', retry: true },
          accepted(2),
          { outcome: 'rejected' },
        ],
      },
    });
  });

  test('without outcomes are failures of ours, and never called invalid', async () => {
    const forgetful = (known: number): Log => ({
      publish: async envelopes => envelopes.slice(0, known).map(() => ({ ok: true, stored: 'disk' })),
      close: async () => {},
    });
    expect(seen(await accept(many(...clicks), forgetful(0)))).toMatchObject({ status: 500 });
    expect(seen(await accept(many(...clicks), forgetful(1)))).toMatchObject({
      status: 207,
      body: { accepted: 1, results: [accepted(0), { outcome: 'failed', reason: 'internal' }, { outcome: 'failed' }] },
    });
  });

  test('that are all rejected are not published at all', async () => {
    const never: Log = {
      publish: () => Promise.reject(new Error('nothing to publish')),
      close: async () => {},
    };
    expect((await accept(many(null), never)).status).toBe(422);
  });
});

test('every event is counted once, under names that no client chose', async () => {
  log.fail(envelope => (envelope.type === 'film_watched' ? full : null));
  await accept(
    many(
      ...clicks,
      { ...film, event_type: 'video_complete' },
      { ...click, event_type: 'evil" type' },
      { ...click, element: 5 },
      { ...click, timestamp: 0 },
      null,
    ),
  );
  expect(await samplesOf(metrics, 'ugc_events_received_total')).toEqual({
    'event_type=click,outcome=accepted': 3,
    'event_type=click,outcome=rejected': 2,
    'event_type=film_watched,outcome=failed': 1,
    'event_type=(unknown),outcome=rejected': 2,
  });
  expect(await samplesOf(metrics, 'ugc_events_stored_total')).toEqual({ 'event_type=click,stored=disk': 3 });
  expect(await samplesOf(metrics, 'ugc_events_rejected_total')).toEqual({
    'reason=unknown_type': 1,
    'reason=invalid': 2,
    'reason=too_old': 1,
  });
  expect(await samplesOf(metrics, 'ugc_ack_seconds')).toMatchObject({ 'stored=disk': 1 });
});

describe('rules', () => {
  const ruledCounts: string[] = [];
  const byRules = (ledger?: { note: Ledger['note']; noteRuled: Ledger['noteRuled'] }) => {
    const rules: Rules = ({ id, address }) => {
      if (id === ids[0]) return { id: 'dropper', topic: null };
      return id === ids[1] ? { id: `from ${address}`, topic: 'elsewhere' } : null;
    };
    const ruling = { rules, onRuled: (id: string) => void ruledCounts.push(id) };
    return acceptOf({ judge, log, metrics, ruling: () => ruling, ...(ledger && { ledger }) });
  };

  test('drop an event with a success that says so, and divert another', async () => {
    expect(seen(await byRules()(single(clicks[0]), originOf()))).toEqual({
      status: 200,
      body: { event_id: ids[0], outcome: 'dropped', rule: 'dropper' },
    });
    expect(log.published).toEqual([]);
    expect(seen(await byRules()(single(clicks[1]), originOf()))).toEqual({ status: 200, body: accepted(1) });
    expect(log.published).toMatchObject([{ id: ids[1], topic: 'elsewhere', type: '(diverted)' }]);
    expect(ruledCounts).toEqual(['dropper', `from ${originOf().ip}`]);
  });

  test('in a batch cost nobody else, and count as neither accepted nor rejected', async () => {
    const answer = await byRules()(many(clicks[0], clicks[1], clicks[2]), originOf());
    expect(seen(answer)).toEqual({
      status: 200,
      body: {
        accepted: 2,
        rejected: 0,
        dropped: 1,
        results: [{ event_id: ids[0], outcome: 'dropped', rule: 'dropper' }, accepted(1), accepted(2)],
      },
    });
    expect(seen(await byRules()(many(clicks[0], { event_type: 'click' }), originOf())).status).toBe(207);
    expect(seen(await byRules()(many(clicks[0]), originOf()))).toMatchObject({ status: 200, body: { accepted: 0 } });
  });

  test('a rejected event stays rejected', async () => {
    expect((await byRules()(single({ ...clicks[0], timestamp: 'x' }), originOf())).status).toBe(422);
  });

  test('a diverted event that cannot be stored is a failure like any other', async () => {
    log.fail(() => full);
    expect((await byRules()(single(clicks[1]), originOf())).status).toBe(503);
  });

  test('are known to the ledger, apart from what has a row', async () => {
    const noted: string[] = [];
    const note = (word: string) => (envelopes: readonly Envelope[]) =>
      void noted.push(...envelopes.map(({ id, type }) => `${word} ${ids.indexOf(id)} ${type}`));
    await byRules({ note: note('row'), noteRuled: note('ruled') })(many(...clicks), originOf());
    expect(noted).toEqual(['row 2 click', 'ruled 0 click', 'ruled 1 (diverted)']);
  });
});

describe('a client whose events are not wanted', () => {
  const unwanted = originOf({ unwanted: 'bot-traffic' });

  test('is told so with a success, and nothing is stored', async () => {
    const before = (await samplesOf(metrics, 'ugc_ruled_total'))['rule=bot-traffic'] ?? 0;
    const body = { event_id: ids[0], outcome: 'dropped', rule: 'bot-traffic' };
    expect(seen(await acceptOf({ judge, log, metrics })(single(clicks[0]), unwanted))).toEqual({ status: 200, body });
    expect(log.published).toEqual([]);
    expect((await samplesOf(metrics, 'ugc_ruled_total'))['rule=bot-traffic']).toBe(before + 1);
  });

  test('is told what is wrong with its events all the same, and no rule is asked of the others', async () => {
    const ruling = () => ({ rules: () => ({ id: 'diverter', topic: 'elsewhere' }), onRuled: () => {} });
    const answer = await acceptOf({ judge, log, metrics, ruling })(many(clicks[0], { event_type: 'click' }), unwanted);
    expect(seen(answer)).toMatchObject({
      status: 207,
      body: { accepted: 0, rejected: 1, dropped: 1, results: [{ rule: 'bot-traffic' }, { outcome: 'rejected' }] },
    });
    expect(log.published).toEqual([]);
  });

  test('is known to the ledger as one that was ruled out', async () => {
    const noted: string[] = [];
    const note = (word: string) => (envelopes: readonly Envelope[]) =>
      void noted.push(...envelopes.map(({ id }) => `${word} ${ids.indexOf(id)}`));
    const ledger = { note: note('row'), noteRuled: note('ruled') };
    await acceptOf({ judge, log, metrics, ledger })(many(clicks[0], clicks[1]), unwanted);
    expect(noted).toEqual(['ruled 0', 'ruled 1']);
  });

  test('is held against rules by its whole address, whatever is stored of it', async () => {
    const asked: string[] = [];
    const rules: Rules = ({ address }) => {
      asked.push(address);
      return null;
    };
    const ruling = () => ({ rules, onRuled: () => {} });
    const origin = originOf({ ip: '192.0.2.0', address: '192.0.2.77' });
    await acceptOf({ judge, log, metrics, ruling })(single(clicks[0]), origin);
    expect(asked).toEqual(['192.0.2.77']);
    expect(JSON.parse(log.published[0]!.body)).toMatchObject({ ip: '192.0.2.0' });
  });
});
