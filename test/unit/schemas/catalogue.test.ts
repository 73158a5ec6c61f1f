// Every type of the catalogue, as its definition has it: what it must refuse, and by which name.

import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { catalogue, catalogueOf } from '../../../schemas/catalogue.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { parseJson } from '../../../src/record/json.ts';
import { jsonOf, wrongValues } from '../../support/any-event.ts';
import { bodyOf, judged, judgeOptions, originOf, rejectionOf } from '../../support/edge.ts';
import { everyKind } from '../../support/every-kind.ts';

const all = catalogueOf([everyKind, ...catalogue.types]);
const judge = judgeOf({ ...judgeOptions, catalogue: all });

describe('the catalogue', () => {
  test('holds every file of its folders, each under its own name and family', async () => {
    const root = join(import.meta.dir, '../../../schemas');
    const files = [...new Bun.Glob('*/*.ts').scanSync(root)].toSorted();
    const ours = catalogue.types.map(({ family, name }) => `${family}/${name.replaceAll('_', '-')}.ts`);
    expect(files).toEqual(ours.toSorted());
  });

  test('has the documents’ 21 events of the marketplace, under the documents’ names too', async () => {
    const document = [
      'PageVisit Searching Filtering CartAdd CartDelete Ordering OrderCancel ReviewReview ReviewCreating Registering',
      'LoggingIn ProfileEdit MailingSubscription SupportContact RecommendationView SaleParticipation ItemComparison',
      'OrderHistoryViewing ItemReturn PromoUsage CategoryView',
    ].flatMap(line => line.split(' '));
    const marketplace = catalogue.types.filter(({ family }) => family === 'marketplace');
    expect(document.filter(name => !marketplace.some(({ aliases }) => aliases.includes(name)))).toEqual([]);
  });

  test('calls no two types alike, by any name', () => {
    const click = catalogue.find('click')!;
    expect(() => catalogueOf([click, click])).toThrow('two event types are called click');
    expect(() => catalogueOf([click, { ...everyKind, aliases: ['click'] }])).toThrow('click');
  });
});

describe.each(all.types.map(type => [type.name, type] as const))('%s', (_, type) => {
  const given = () => parseJson(jsonOf(type.example)) as Record<string, unknown>;
  const without = (name: string) => Object.fromEntries(Object.entries(given()).filter(([key]) => key !== name));

  test('takes its example, by each of its names', () => {
    for (const name of [type.name, ...type.aliases])
      expect(bodyOf(judge({ ...given(), event_type: name }, originOf()))).toMatchObject({
        event_type: type.name,
        schema_version: type.version,
      });
  });

  test('refuses each field broken in each way, by the name of that field alone', () => {
    for (const field of type.allFields) {
      const wrong = wrongValues(field);
      expect(wrong.length).toBeGreaterThan(4);
      for (const [what, value] of wrong) {
        const event = value === undefined ? without(field.name) : { ...given(), [field.name]: value };
        const verdict = judge(parseJson(jsonOf(event)), originOf());
        const { reason, paths, text } = rejectionOf(verdict);
        // Of a list the item is named.
        const named = paths.every(path => path === `/${field.name}` || path.startsWith(`/${field.name}/`));
        expect({ field: field.name, what, reason, named }).toEqual({
          field: field.name,
          what,
          reason: 'invalid',
          named: true,
        });
        expect(text).toContain('expected');
        expect(verdict).toMatchObject({ type: type.name });
      }
    }
  });
});

describe('a rejection helps', () => {
  const event = (type: string, changes: object) => ({ ...catalogue.find(type)!.example, ...changes });
  const messageOf = (type: string, changes: object) => {
    const { paths, text } = rejectionOf(judged(event(type, changes)));
    expect(paths).toHaveLength(1);
    return text;
  };

  test('with what was expected and what came, kind by kind', () => {
    expect(messageOf('logging_in', { login_type: 'email' })).toBe(
      '/login_type expected 0 (email_password) or 1 (phone_code) or 2 (external_service), got the text "email"',
    );
    expect(messageOf('cart_add', { item_id: '9223372036854775808' })).toBe(
      '/item_id expected a whole number from -9223372036854775808 to 9223372036854775807, or text of its digits, got the text "9223372036854775808"',
    );
    expect(messageOf('film_progress', { share: 1.5 })).toBe('/share expected a number from 0 to 1, got 1.5');
    expect(messageOf('film_opened', { position: -1 })).toBe('/position expected a number that is not negative, got -1');
    expect(messageOf('review_posted', { review_id: 'x' })).toBe('/review_id expected a UUID, got the text "x"');
    expect(messageOf('review_posted', { rating: 11 })).toBe('/rating expected a whole number from 1 to 10, got 11');
    expect(messageOf('category_view', { parent_category_id: 1.5 })).toEndWith('or null, got 1.5');
    expect(messageOf('registering', { user_id: null })).toEndWith('or text of its digits, got null');
  });

  test.each([
    ['a_text', 5, 'text of at most 1024 characters, got 5'],
    ['a_text_or_empty', 'abc', 'text of at most 2 characters, got the text "abc"'],
    ['a_word_or_null', false, 'text of at most 20 characters or null, got false'],
    ['a_choice', 'two', '"one" or "it’s" or "th\\"ree\\\\", got the text "two"'],
    ['a_choice_or_null', 'three', '"one" or "two" or null, got the text "three"'],
    ['a_byte', 256, 'a whole number from 0 to 255, got 256'],
    ['a_count_or_null', 0.5, 'a whole number from 0 to 4294967295 or null, got 0.5'],
    ['a_signed_amount', '1', 'a number of at least -1000000, got the text "1"'],
    ['an_amount_or_null', -1, 'a number that is not negative or null, got -1'],
    ['a_number_of_words_or_null', 3, '1 (one) or 2 (two) or null, got 3'],
    ['a_flag', 1, 'true or false, got 1'],
    ['a_flag_or_null', 'true', 'true or false or null, got the text "true"'],
    ['a_uuid_or_null', 'x', 'a UUID or null, got the text "x"'],
    ['a_list', 'a', 'a list of at most 20 texts, got the text "a"'],
    ['an_object', [], 'an object, got a list of 0'],
    [
      'a_time',
      '2024-10-03',
      'a time of the years 1900 to 2299: ISO 8601 with a zone (2024-10-03T14:30:00Z) or epoch milliseconds, got the text "2024-10-03"',
    ],
  ])('of %s given %p: expected %s', (name, value, words) => {
    const { text } = rejectionOf(judge({ ...everyKind.example, [name]: value }, originOf()));
    expect(text).toBe(`/${name} expected ${words}`);
  });

  test('with the nearest field, or with none where every one is far', () => {
    expect(messageOf('click', { page_ulr: 'x' })).toBe(
      '/page_ulr is no field of this event type; did you mean page_url?',
    );
    expect(messageOf('click', { userAgentString: 'x' })).toBe(
      '/userAgentString is no field of this event type; free fields go into properties',
    );
    expect(messageOf('click', { eventId: 'x' })).toContain('did you mean event_id?');
  });

  test('without what an unknown field holds, nor any long value', () => {
    expect(messageOf('click', { password: 'hunter2' })).not.toContain('hunter2');
    expect(messageOf('click', { country: ['hunter2'] })).toBe(
      '/country expected text of at most 64 characters, got a list of 1',
    );
    expect(messageOf('click', { country: 'hunter2'.repeat(20) })).not.toContain('hunter2');
  });

  test('with the item of a list that is wrong', () => {
    const { paths } = rejectionOf(judge({ ...everyKind.example, a_list: ['a', 1, 'b', null] }, originOf()));
    expect(paths).toEqual(['/a_list/1', '/a_list/3']);
  });

  test('with the nearest event type, whichever of its names was nearly said', () => {
    for (const [said, meant] of [
      ['page_veiw', 'page_view'],
      ['CartAd', 'cart_add'],
      ['itemreturn', 'item_return'],
      ['FilmWatched', 'film_watched'],
    ] as const)
      expect(rejectionOf(judged(event('click', { event_type: said }))).text).toContain(`did you mean ${meant}?`);
  });
});
