// Events of a sender whose user is known are that user's, whatever they say.

import { describe, expect, test } from 'bun:test';
import { catalogue } from '../../../schemas/catalogue.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import type { Origin } from '../../../src/catalogue/origin.ts';
import { acceptOf } from '../../../src/ingest/accept.ts';
import { judgeOfUsers, type UserPolicy } from '../../../src/ingest/user.ts';
import { type Body, click, judgeOptions, nowIso, originOf } from '../../support/edge.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { sharedMetrics as metrics } from '../../support/quiet.ts';

const judge = judgeOf(judgeOptions);

function judged(event: unknown, origin: Partial<Origin> = {}, policy: UserPolicy = 'override') {
  return judgeOfUsers(judge, policy)(event, originOf({ userId: 'u1', ...origin }));
}

/** What is stored. */
function stored(...args: Parameters<typeof judged>): Body {
  const verdict = judged(...args);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.errors));
  return JSON.parse(verdict.envelope.body) as Body;
}

const { user_id: _, ...anonymous } = click;

describe('a known user', () => {
  test.each([
    ['another', 'somebody else'],
    ['the same', 'u1'],
    ['nobody', null],
    ['nobody, as text', ''],
    ['a number', 7],
    ['an object', { $ne: null }],
    ['a list', ['u1']],
    ['true', true],
    ['half a character', '\ud800'],
    ['what is far too long', 'x'.repeat(10_000)],
  ])('is the user of an event that names %s', (_, user) => {
    const event = { ...click, user_id: user };
    expect(stored(event)).toMatchObject({ user_id: 'u1' });
    expect(stored({ event })).toMatchObject({ user_id: 'u1' });
    expect(event.user_id).toBe(user); // what was sent stays as it was
  });

  test('in the place of another is told to who named the other, and to nobody else', () => {
    const warningsOf = (event: object) => {
      const verdict = judged(event);
      return verdict.ok ? verdict.warnings?.words : verdict;
    };
    expect(warningsOf({ ...click, user_id: 'somebody else' })).toEqual(['user_replaced']);
    for (const event of [
      { ...click, user_id: 'u1' },
      { ...click, user_id: null },
      { ...click, user_id: '' },
      anonymous,
    ])
      expect(warningsOf(event)).toBeUndefined();
  });

  test('is the user of an event that names none, and keeps its visitor', () => {
    expect(stored({ ...anonymous, anonymous_id: 'a1' })).toMatchObject({ user_id: 'u1', anonymous_id: 'a1' });
  });

  test('is stored of no event whose client asks to be nobody', () => {
    const derived = { isNobody: true };
    expect(stored({ ...click, anonymous_id: 'a1' }, { derived })).toMatchObject({ user_id: null, anonymous_id: null });
    expect(judged(click, { derived })).toMatchObject({ ok: true, envelope: { key: null } });
  });

  test('is who the event’s order is kept by', () => {
    expect(judged({ ...click, user_id: 'x' })).toMatchObject({ ok: true, envelope: { key: 'u1' } });
  });

  test.each(catalogue.types.map(({ name }) => name))('is the user of every %s', name => {
    const type = catalogue.find(name)!;
    const event = { event_type: name, ...type.example, timestamp: nowIso };
    const userId = type.identity === 'integer' ? '9223372036854775807' : 'u1';
    const verdict = judged(event, { userId });
    expect(verdict).toMatchObject({ ok: true, envelope: { key: userId } });
    if (verdict.ok) expect(verdict.envelope.body).toMatch(new RegExp(`"user_id":"?${userId}"?,`));
  });

  test.each(['"', '\\', '","ip":"1.2.3.4', '\u0000', '\n', '😀'])(
    'of the name %j is written as it is, in a body without anything to escape',
    userId => {
      expect(stored(click, { userId, isPlain: true })).toMatchObject({ user_id: userId, ip: '127.0.0.1' });
    },
  );

  test('that is no number cannot be the user of a type whose users are numbers, and that is said', () => {
    const type = catalogue.types.find(({ identity }) => identity === 'integer')!;
    const verdict = judged({ event_type: type.name, ...type.example, timestamp: nowIso });
    expect(verdict).toMatchObject({
      ok: false,
      reason: 'invalid',
      errors: [{ path: '/user_id', message: expect.stringContaining('it is the token’s subject (sub)') }],
    });
  });

  test.each([[null], ['text'], [7], [[]], [{}], [{ event: 7 }], [undefined]])('does not make an event of %j', given => {
    const verdict = judged(given);
    expect(verdict.ok).toBe(false);
    expect(verdict).toEqual(judge(given, originOf()));
  });
});

describe('told to reject', () => {
  const reject = (user: unknown) => judged({ ...click, user_id: user }, {}, 'reject');

  test.each([['somebody else'], [7], [{}], [['u1']], ['U1'], ['u1 '], [false]])('it rejects an event of %j', user => {
    expect(reject(user)).toMatchObject({
      ok: false,
      reason: 'not_allowed',
      type: 'click',
      errors: [{ path: '/user_id', message: 'names another user than the token does (sub)' }],
    });
  });

  test.each([['u1'], [null], [''], [undefined]])('it takes an event of %j', user => {
    expect(reject(user).ok).toBe(true);
  });

  test('it takes a number and its digits for the same', () => {
    const type = catalogue.types.find(({ identity }) => identity === 'integer')!;
    const event = { event_type: type.name, ...type.example, timestamp: nowIso };
    for (const user of [1_234_567, '1234567', 1_234_567n])
      expect(judged({ ...event, user_id: user }, { userId: '1234567' }, 'reject').ok).toBe(true);
    expect(judged({ ...event, user_id: 1_234_568 }, { userId: '1234567' }, 'reject').ok).toBe(false);
  });

  test('an event of another costs the others nothing, and alone is answered 403', async () => {
    const log = memoryLog();
    const accept = acceptOf({ judge, log, metrics, userPolicy: 'reject' });
    const events = [click, { ...click, user_id: 'x' }];
    const many = await accept({ isSingle: false, events, sentAt: undefined }, originOf({ userId: 'u1' }));
    expect(JSON.parse(many.body)).toMatchObject({ accepted: 1, rejected: 1, results: [{}, { reason: 'not_allowed' }] });
    const one = await accept({ isSingle: true, events: [events[1]], sentAt: undefined }, originOf({ userId: 'u1' }));
    expect(one.status).toBe(403);
    expect(log.published).toHaveLength(1);
  });
});

test('without a known user events say whose they are, whatever the policy', () => {
  for (const policy of ['override', 'reject'] as const)
    expect(stored({ ...click, user_id: 'x' }, { userId: undefined }, policy)).toMatchObject({ user_id: 'x' });
});
