import { describe, expect, test } from 'bun:test';
import { rulesOf, type Subject, shareOf } from '../../../../src/door/rules/rules.ts';
import { parseRules, type StoredRule } from '../../../../src/door/rules/rules-file.ts';

const created_at = '2026-11-01T00:00:00Z';
let made = 0;
const rule = (of: Partial<StoredRule>): StoredRule => ({ id: `r${1_000 + made++}`, action: 'drop', created_at, ...of });
const subject: Subject = { type: 'click', source: 'shop', address: '192.0.2.7', user: 'u1', id: 'e1' };
const ruling = (rules: readonly StoredRule[], of: Partial<Subject> = {}, nowMs = 0) =>
  rulesOf(rules, () => nowMs)!({ ...subject, ...of });

describe('a rule', () => {
  test.each<[string, Partial<StoredRule>, Partial<Subject>]>([
    ['key', { key: 'shop' }, { source: 'app' }],
    ['event type', { event_type: 'click' }, { type: 'custom' }],
    ['user', { user: 'u1' }, { user: null }],
    ['address', { address: '192.0.2.7' }, { address: '192.0.2.8' }],
    ['network', { address: '192.0.2.0/24' }, { address: '2001:db8::1' }],
    ['all it names together', { key: 'shop', user: 'u1' }, { user: 'u2' }],
  ])('fits by its %s, and nothing else', (_, of, other) => {
    const only = rule(of);
    expect(ruling([only])).toEqual({ id: only.id, topic: null });
    expect(ruling([only], other)).toBeNull();
  });

  test('the first that fits counts, and a sample that keeps an event leaves it to the next', () => {
    const [divert, drop] = [rule({ action: 'divert', user: 'u1', topic: 't' }), rule({ key: 'shop' })];
    expect(ruling([divert, drop])).toEqual({ id: divert.id, topic: 't' });
    expect(ruling([drop, divert])).toEqual({ id: drop.id, topic: null });
    const keepsAll = rule({ action: 'sample', share: 1 });
    expect(ruling([keepsAll, drop])).toEqual({ id: drop.id, topic: null });
    expect(ruling([keepsAll, drop], { source: 'app' })).toBeNull();
  });

  test('holds until its time is over', () => {
    const short = rule({ key: 'shop', until: '2026-11-28T12:00:00Z' });
    const end = Date.parse('2026-11-28T12:00:00Z');
    expect(ruling([short], {}, end - 1)).not.toBeNull();
    expect(ruling([short], {}, end)).toBeNull();
  });

  test('none: nobody asks', () => {
    expect(rulesOf([])).toBeNull();
  });
});

describe('a sample', () => {
  test('keeps its share of the users, always the same ones, and more of them with more', () => {
    const keptBy = (share: number): Set<string> => {
      const rules = [rule({ action: 'sample', share })];
      return new Set(
        Array.from({ length: 10_000 }, (_, n) => `user ${n}`).filter(user => ruling(rules, { user }) === null),
      );
    };
    const [few, more] = [keptBy(0.1), keptBy(0.3)];
    expect(few.size).toBeGreaterThan(900);
    expect(few.size).toBeLessThan(1_100);
    expect(few.isSubsetOf(more)).toBe(true);
    expect(keptBy(0.1)).toEqual(few);
    expect([keptBy(0).size, keptBy(1).size]).toEqual([0, 10_000]);
  });

  test('goes by the event where it has no user', () => {
    const rules = [rule({ action: 'sample', share: 0.5 })];
    const kept = Array.from({ length: 1_000 }, (_, n) => ruling(rules, { user: null, id: `event ${n}` }) === null);
    expect(kept.filter(Boolean).length).toBeGreaterThan(400);
    expect(kept.filter(Boolean).length).toBeLessThan(600);
  });

  test('the share of a text is the same everywhere', () => {
    expect(shareOf('')).toBeCloseTo(0xe3b0c442 / 2 ** 32, 10);
    expect(shareOf('abc')).toBeCloseTo(0xba7816bf / 2 ** 32, 10);
  });
});

describe('a file of rules', () => {
  const parse = (rules: unknown) => parseRules(JSON.stringify({ rules }), 'rules.json');
  test('is read as it is', () => {
    const rules = [rule({ key: 'shop' }), rule({ action: 'sample', share: 0.5 })];
    expect(parse(rules)).toEqual(rules);
    expect(parse([])).toEqual([]);
  });

  test.each<[string, Partial<StoredRule>, string]>([
    ['nothing named', {}, 'would take every event there is'],
    ['a divert of everything', { action: 'divert', topic: 't' }, 'would take every event there is'],
    ['a sample without a share', { action: 'sample' }, 'share belongs to sample'],
    ['a share of a drop', { key: 'a', share: 0.5 }, 'share belongs to sample'],
    ['a share beyond all', { action: 'sample', share: 2 }, '/rules/0/share'],
    ['a divert without a topic', { action: 'divert', key: 'a' }, 'topic belongs to divert'],
    ['a topic that is none', { action: 'divert', key: 'a', topic: 'a b' }, '/rules/0/topic'],
    ['no network', { address: 'everywhere' }, 'address must be'],
    ['no time', { key: 'a', until: 'tomorrow' }, '/rules/0/until'],
    ['an unknown action', { key: 'a', action: 'burn' as 'drop' }, '/rules/0/action'],
    ['an unknown word', { kez: 'a' } as object, '/rules/0/kez'],
    ['an id that would not be a label', { key: 'a', id: '" } 1' }, '/rules/0/id'],
  ])('with %s is refused with the place', (_, of, words) => {
    expect(() => parse([rule(of)])).toThrow(words);
  });

  test('with one id twice, or that is no JSON, is refused', () => {
    const one = rule({ key: 'a' });
    expect(() => parse([one, one])).toThrow('stands there twice');
    expect(() => parseRules('{', 'rules.json')).toThrow('rules.json is not JSON');
    expect(() => parseRules('[]', 'rules.json')).toThrow('rules.json: the file');
  });
});
