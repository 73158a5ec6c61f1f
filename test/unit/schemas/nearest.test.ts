import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../../schemas/catalogue.ts';
import { hintOf, nearestOf } from '../../../schemas/nearest.ts';
import { configTable } from '../../../src/config/read.ts';

const nearest = (typed: string, names: Iterable<string>) => nearestOf(names)(typed);

const fields = ['user_id', 'element', 'page_url', 'ip', 'country', 'device', 'properties', 'event_id'];

describe('the nearest name', () => {
  test.each([
    ['elment', 'element'],
    ['elemnet', 'element'],
    ['userId', 'user_id'],
    ['userID', 'user_id'],
    ['user-id', 'user_id'],
    ['PageURL', 'page_url'],
    ['contry', 'country'],
    ['IP', 'ip'],
    ['property', 'properties'],
  ])('of %p is %p', (typed, name) => {
    expect(nearest(typed, fields)).toBe(name);
  });

  test.each([[''], ['x'], ['q'], ['id'], ['foo'], ['colour'], ['duration'], ['price'], ['___'], ['\u{1f600}']])(
    'of %p is none: no silly suggestions',
    typed => {
      expect(nearest(typed, fields)).toBeUndefined();
      expect(hintOf(typed, fields)).toBe('');
    },
  );

  test('of a hundred thousand letters is none, at once', () => {
    expect(nearest('x'.repeat(100_000), fields)).toBeUndefined();
  });

  test('is the least wrong, and of equals the first', () => {
    expect(nearest('cart_ad', ['card_add', 'cart_add'])).toBe('cart_add');
    expect(nearest('abcx', ['abca', 'abcb'])).toBe('abca');
  });

  test('is the same whether it is asked for the first time, again, or after a thousand others', () => {
    const nearestField = nearestOf(fields);
    const asked = ['elment', 'elemnet', 'colour', 'PageURL', 'x'.repeat(80), ''];
    const first = asked.map(nearestField);
    expect(first).toEqual(asked.map(typed => nearest(typed, fields)));
    expect(asked.map(nearestField)).toEqual(first);
    for (let n = 0; n < 1_000; n++) nearestField(`page_ulr_${n}`);
    expect(asked.map(nearestField)).toEqual(first);
  });

  test('knows letters in another order for half as many mistakes, also beside a name as far', () => {
    expect(nearest('elemnet', ['elements', 'element'])).toBe('element');
  });

  test('is there for each event type and setting with one letter missing, doubled or swapped', () => {
    const names = [...catalogue.types.map(type => type.name), ...configTable().map(({ env }) => env)];
    const slip = fc.tuple(fc.constantFrom(...names), fc.nat(), fc.constantFrom('missing', 'doubled', 'swapped'));
    fc.assert(
      fc.property(slip, ([name, place, kind]) => {
        const letters = [...name];
        const at = place % (letters.length - 1);
        if (kind === 'missing') letters.splice(at, 1);
        if (kind === 'doubled') letters.splice(at, 0, letters[at]!);
        if (kind === 'swapped') letters.splice(at, 2, letters[at + 1]!, letters[at]!);
        // Another name may be as near as the one that was meant.
        expect(nearest(letters.join(''), names)).toBeDefined();
      }),
    );
  });
});
