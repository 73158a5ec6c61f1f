import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { hashOf, kindOf, newKey } from '../../../../src/door/keys/key.ts';

describe('a key', () => {
  test.each(['public', 'secret'] as const)('that is %s says so', kind => {
    const key = newKey(kind);
    expect(key).toMatch(kind === 'public' ? /^ugc_pk_\w{33}$/ : /^ugc_sk_\w{33}$/);
    expect(kindOf(key)).toBe(kind);
  });

  test('is never given twice, and neither is its hash', () => {
    const keys = Array.from({ length: 1_000 }, () => newKey('public'));
    expect(new Set(keys).size).toBe(1_000);
    expect(new Set(keys.map(hashOf)).size).toBe(1_000);
    expect(hashOf(keys[0]!)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('with a character changed, lost or added is none', () => {
    const key = newKey('secret');
    const at = fc.integer({ min: 0, max: key.length - 1 });
    const other = fc.constantFrom(...'0aZz_-é ');
    fc.assert(
      fc.property(at, other, (place, character) => {
        const changed = key.slice(0, place) + character + key.slice(place + 1);
        if (changed !== key) expect(kindOf(changed)).toBeNull();
        expect(kindOf(key.slice(0, place) + key.slice(place + 1))).toBeNull();
        expect(kindOf(key.slice(0, place) + character + key.slice(place))).toBeNull();
      }),
    );
  });

  test('public is none with the word secret put into it', () => {
    expect(kindOf(newKey('public').replace('_pk_', '_sk_'))).toBeNull();
  });

  test.each(['', 'ugc_pk_', 'Bearer x', 'x'.repeat(100_000), '\0', 'ugc_pk_' + '0'.repeat(33)])('%# is none', text => {
    expect(kindOf(text)).toBeNull();
  });
});
