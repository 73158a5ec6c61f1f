import { describe, expect, test } from 'bun:test';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import {
  bodyOf,
  click,
  film,
  filmExamples,
  fixtureText,
  judged,
  judgedText,
  judgeOptions,
  nowIso,
  nowMs,
  originOf,
  quality,
  rejectionOf,
} from '../../support/edge.ts';

const uuid = '0190a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b';
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The event as text, with one more member at the end, which the object literal could not hold. */
const withMember = (event: object, member: string): string => JSON.stringify(event).replace(/\}$/, `,${member}}`);

const at = (ms: number): string => new Date(ms).toISOString();

describe('an accepted event', () => {
  test('is one line with the edge’s fields in front and every field of its type, in the table’s order', () => {
    const verdict = judged({ ...click, event_id: uuid });
    expect(verdict).toEqual({
      ok: true,
      envelope: {
        id: uuid,
        type: 'click',
        version: 1,
        topic: 'ugc.click',
        key: 'u1',
        receivedAtMs: nowMs,
        body:
          `{"event_id":"${uuid}","event_type":"click","schema_version":1,"received_at":"${nowIso}","source":"",` +
          '"ip":"127.0.0.1","user_agent":"test","timestamp":"2026-11-21T11:59:59.000Z","sent_at":null,' +
          '"user_id":"u1","anonymous_id":null,"country":"US","device":"mobile","element":"play",' +
          '"page_url":"https://example.com/","properties":{}}',
      },
    });
  });

  test.each(filmExamples)('is the documents’ example %s, with and without its wrapper', async name => {
    const wrapped = JSON.parse(await fixtureText(`film/${name}.json`)) as { event: Record<string, unknown> };
    for (const given of [wrapped, wrapped.event]) {
      const body = bodyOf(judged(given));
      const { event_type: type, timestamp, ...rest } = wrapped.event;
      expect(body).toMatchObject(rest);
      expect(body.event_type).toBe(type === 'video_complete' ? 'film_watched' : (type as string));
      expect(Date.parse(body.timestamp as string)).toBe(Date.parse(timestamp as string));
    }
  });

  test('of an alias is stored under its type’s name, in its type’s topic', () => {
    const verdict = judged(
      { ...film, event_type: 'video_complete' },
      { options: { topic: 'a.{event_type}.{event_type}' } },
    );
    expect(bodyOf(verdict).event_type).toBe('film_watched');
    expect(verdict).toMatchObject({ envelope: { type: 'film_watched', topic: 'a.film_watched.film_watched' } });
  });

  test('is stamped with what the edge knows of its request, whatever that holds', () => {
    const origin = { source: 'web "1"', ip: '::1', userAgent: 'a\u0000"\\\ud800\n😀' };
    expect(bodyOf(judged(click, { origin }))).toMatchObject({
      source: 'web "1"',
      ip: '::1',
      user_agent: 'a\u0000"\\\ufffd\n😀',
    });
  });

  test('takes its own request’s stamp, though one judge serves many', () => {
    const judge = judgeOf(judgeOptions);
    const [one, other] = [originOf({ ip: '10.0.0.1' }), originOf({ ip: '10.0.0.2', receivedAtMs: nowMs + 5 })];
    const ips = [one, other, one].map(origin => bodyOf(judge(click, origin)));
    expect(ips.map(body => body.ip)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.1']);
    expect(ips.map(body => body.received_at)).toEqual([nowIso, at(nowMs + 5), nowIso]);
  });

  test.each([
    [{ user_id: 'u', anonymous_id: 'a' }, 'u'],
    [{ user_id: null, anonymous_id: 'a' }, 'a'],
    [{ user_id: '', anonymous_id: 'a' }, 'a'],
    [{ user_id: '', anonymous_id: '' }, null],
    [{ user_id: null }, null],
  ])('with %p has the key %p', (fields, key) => {
    const { user_id: _, ...anonymous } = click;
    expect(judged({ ...anonymous, ...fields })).toMatchObject({ envelope: { key } });
  });

  test('has null for fields that may be absent, and {} for properties', () => {
    const { user_id: _, ...anonymous } = click;
    expect(bodyOf(judged(anonymous))).toMatchObject({ user_id: null, anonymous_id: null, properties: {} });
    expect(bodyOf(judged({ ...anonymous, user_id: null, anonymous_id: null }))).toMatchObject({ user_id: null });
  });
});

describe('an event_id', () => {
  test('is made at the edge, as a UUIDv7 and different each time, when the client has none', () => {
    const ids = Array.from({ length: 100 }, () => bodyOf(judged(click)).event_id as string);
    for (const id of ids) expect(id).toMatch(uuidV7);
    expect(new Set(ids).size).toBe(100);
    expect(bodyOf(judged({ ...click, event_id: null })).event_id).toMatch(uuidV7);
  });

  test('of the client is kept, in lower case, whatever its version', () => {
    for (const id of [
      uuid,
      uuid.toUpperCase(),
      '12345678-1234-1234-1234-123456789abc',
      '00000000-0000-0000-0000-000000000001',
    ]) {
      const verdict = judged({ ...click, event_id: id });
      expect(bodyOf(verdict).event_id).toBe(id.toLowerCase());
      expect(verdict).toMatchObject({ envelope: { id: id.toLowerCase() } });
    }
  });

  test.each([
    ['', ' ', 'abc', uuid.replaceAll('-', ''), `{${uuid}}`, `urn:uuid:${uuid}`, ` ${uuid}`, `${uuid}\n`],
    [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    ],
    [1, 0, true, false, [uuid], { id: uuid }, uuid.replace('a', 'g'), uuid.replace('0', '٠')],
  ])('that is none is rejected: %p', (...ids) => {
    for (const id of ids)
      expect(rejectionOf(judged({ ...click, event_id: id }))).toMatchObject({
        reason: 'invalid',
        paths: ['/event_id'],
      });
  });
});

describe('a field', () => {
  const wrongFor = {
    text: [undefined, null, 0, 1.5, true, [], ['a'], {}, 'x'.repeat(10_000)],
    textOrNull: [0, false, [], {}, 'x'.repeat(10_000)],
    whole: [
      undefined,
      null,
      '',
      '3600',
      -1,
      1.5,
      3600.000001,
      4_294_967_296,
      JSON.parse('1e400'),
      JSON.parse('-1e400'),
      true,
      [],
      {},
    ],
    amount: [undefined, null, '', '3660', -1, -5e-324, JSON.parse('1e400'), true, [], {}],
    object: [null, 0, '', '{}', true, [], [{}]],
  };
  const cases = [
    [
      click,
      {
        country: 'text',
        device: 'text',
        element: 'text',
        page_url: 'text',
        user_id: 'textOrNull',
        anonymous_id: 'textOrNull',
        properties: 'object',
      },
    ],
    [quality, { video_id: 'text', from_quality: 'text', to_quality: 'text', current_time: 'whole' }],
    [film, { video_id: 'text', duration: 'amount' }],
  ] as const;

  for (const [event, fields] of cases)
    for (const [name, kind] of Object.entries(fields))
      test(`${name} of ${event.event_type} takes nothing but its type`, () => {
        for (const value of wrongFor[kind as keyof typeof wrongFor]) {
          const { reason, paths } = rejectionOf(judged({ ...event, [name]: value }));
          expect({ value, reason, paths }).toEqual({ value, reason: 'invalid', paths: [`/${name}`] });
        }
      });

  test('of a whole number is stored without a fraction or an exponent, however it was spelled', () => {
    for (const spelled of ['3600', '3600.0', '36e2', '36E+2', '360000e-2', '3600.000000'])
      expect(judgedText(JSON.stringify(quality).replace('3600', spelled))).toMatchObject({
        envelope: { body: expect.stringContaining('"current_time":3600,') },
      });
    for (const spelled of ['-0', '0.0', '-0.0', '0e0'])
      expect(judgedText(JSON.stringify(quality).replace('3600', spelled))).toMatchObject({
        envelope: { body: expect.stringContaining('"current_time":0,') },
      });
    expect(bodyOf(judged({ ...quality, current_time: 4_294_967_295 })).current_time).toBe(4_294_967_295);
  });

  test('of an amount is stored as the double it is', () => {
    for (const value of [0, 0.1, 5e-324, 1e21, Number.MAX_VALUE, 2 ** 53 + 2])
      expect(bodyOf(judged({ ...film, duration: value })).duration).toBe(value);
    expect(judged({ ...film, duration: -0 })).toMatchObject({
      envelope: { body: expect.stringContaining('"duration":0,') },
    });
  });

  test('keeps every character: NUL, four bytes of UTF-8, line separators, quotes', () => {
    const element = 'a\u0000b"\\\n\r\u2028\u2029\u0085\ufeff😀\uffff';
    const verdict = judged({ ...click, element });
    expect(bodyOf(verdict).element).toBe(element);
    expect(verdict).toMatchObject({ envelope: { body: expect.not.stringMatching(/[\n\r\u0000]/) } });
  });

  test('with half a surrogate pair is rejected, wherever it is', () => {
    for (const text of ['\\ud800', '\\udc00', 'a\\ud83dz', '\\ude00\\ud83d'])
      expect(rejectionOf(judgedText(withMember({ ...click, element: 0 }, `"element":"${text}"`)))).toMatchObject({
        reason: 'invalid',
        paths: ['/element'],
      });
    for (const [object, path] of [
      ['{"a":"\\ud800"}', '/properties/a'],
      ['{"\\ud800":1}', '/properties'],
      ['{"a":[{"b":"\\ud800"}]}', '/properties/a/0/b'],
      ['{"a":[{"b":{"\\udfff":null}}]}', '/properties/a/0/b'],
    ] as const)
      expect(rejectionOf(judgedText(withMember(click, `"properties":${object}`)))).toMatchObject({
        reason: 'invalid',
        paths: [path],
      });
    for (const name of ['user_id', 'anonymous_id'])
      expect(rejectionOf(judged({ ...click, [name]: '\ud800' })).paths).toEqual([`/${name}`]);
  });

  test('given twice counts as what came last, and is stored once', () => {
    const { envelope } = judgedText(withMember(click, '"element":"last","country":"NL"')) as {
      envelope: { body: string };
    };
    expect(envelope.body.match(/"element"/g)).toHaveLength(1);
    expect(JSON.parse(envelope.body)).toMatchObject({ element: 'last', country: 'NL' });
    expect(rejectionOf(judgedText(withMember(click, '"element":5'))).paths).toEqual(['/element']);
    expect(bodyOf(judgedText(withMember(click, '"properties":{"a":1,"a":2}'))).properties).toEqual({ a: 2 });
  });

  test('that is not there is told with every other mistake, ten at most', () => {
    expect(rejectionOf(judged({ event_type: 'click' })).paths.toSorted()).toEqual(
      ['/country', '/device', '/element', '/page_url', '/timestamp'].toSorted(),
    );
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`x${n}`, n]));
    expect(rejectionOf(judged({ ...click, ...many })).paths).toHaveLength(10);
    expect(rejectionOf(judged({ event_type: 'click', event_id: 1, ...many })).paths).toHaveLength(10);
  });
});

describe('an unknown field', () => {
  const names = [
    'x',
    '',
    'Element',
    'element ',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'received_at',
    'source',
    'ip',
    'schema_version',
    'duration',
  ];

  test.each(names)('%p is rejected by name', name => {
    const verdict = judgedText(withMember(click, `${JSON.stringify(name)}:{"element":"x"}`));
    expect(rejectionOf(verdict)).toMatchObject({ reason: 'invalid', paths: [`/${name}`] });
  });

  test.each(names)('%p is dropped when told to, and leaves no trace', name => {
    const text = withMember({ ...click, event_id: uuid }, `${JSON.stringify(name)}:{"element":"x"}`);
    const options = { unknownFields: 'drop' } as const;
    expect(judgedText(text, { options })).toEqual(judged({ ...click, event_id: uuid }, { options }));
  });

  test('is rejected even with the value null or beside a field that is absent', () => {
    expect(rejectionOf(judged({ ...click, x: null })).paths).toEqual(['/x']);
    const { user_id: _, ...anonymous } = click;
    expect(rejectionOf(judged({ ...anonymous, userId: 'u' })).paths).toEqual(['/userId']);
  });

  test('is told as a JSON pointer of bounded length, well-formed', () => {
    expect(rejectionOf(judged({ ...click, 'a/b~c': 1 })).paths).toEqual(['/a~1b~0c']);
    const { paths } = rejectionOf(judged({ ...click, ['\ud800' + 'x'.repeat(10_000)]: 1 }));
    expect(paths[0]!.length).toBeLessThan(120);
    expect(paths[0]!.isWellFormed()).toBe(true);
  });

  test('does not hide what is wrong with the others when it is dropped', () => {
    const options = { unknownFields: 'drop' } as const;
    expect(rejectionOf(judged({ ...click, x: 1, element: 1 }, { options })).paths).toEqual(['/element']);
    expect(rejectionOf(judged({ ...click, x: 1, event_id: 1 }, { options })).paths).toEqual(['/event_id']);
  });
});

describe('keys that mean something to JavaScript', () => {
  test('are kept within properties as keys like any other', () => {
    const properties = '{"__proto__":{"element":"x"},"constructor":{"prototype":1},"toJSON":1,"valueOf":null}';
    const verdict = judgedText(withMember(click, `"properties":${properties}`));
    expect(verdict).toMatchObject({ envelope: { body: expect.stringContaining(`"properties":${properties}`) } });
    expect(({} as Record<string, unknown>).element).toBeUndefined();
  });

  test('do not stand in for a field that is missing', () => {
    const { element: _, ...rest } = click;
    expect(rejectionOf(judgedText(withMember(rest, '"__proto__":{"element":"x"}'))).paths).toContain('/element');
    expect(rejectionOf(judgedText('{"__proto__":{"event_type":"click"}}')).paths).toEqual(['/event_type']);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])('are no event type: %s', name => {
    expect(rejectionOf(judged({ ...click, event_type: name })).reason).toBe('unknown_type');
    expect(rejectionOf(judged(click, { origin: { pathType: name } })).reason).toBe('unknown_type');
  });
});

describe('what is no event object', () => {
  test.each([[undefined], [null], [true], [0], ['click'], [[]], [[click]], [Number.POSITIVE_INFINITY]])(
    'is rejected: %p',
    given => {
      expect(rejectionOf(judged(given))).toMatchObject({ reason: 'invalid', paths: [''] });
    },
  );

  test.each([
    [{}],
    [{ event: null }],
    [{ event: [] }],
    [{ event: 'click' }],
    [{ event: click, x: 1 }],
    [{ events: [click] }],
  ])('has no event type: %p', given => {
    expect(rejectionOf(judged(given))).toMatchObject({ reason: 'invalid', paths: ['/event_type'] });
  });

  test('is described in a few words, however large it is', () => {
    const { text } = rejectionOf(
      judged({
        ...click,
        element: 5,
        event_type: 'click',
        country: ['x'.repeat(10_000)],
        device: { deep: 'x'.repeat(10_000) },
        page_url: 'x'.repeat(10_000),
      }),
    );
    expect(text.length).toBeLessThan(400);
  });
});

describe('an event type', () => {
  test('that does not exist is rejected with the nearest, or with all of them', () => {
    expect(rejectionOf(judged({ ...click, event_type: 'clik' }))).toMatchObject({
      reason: 'unknown_type',
      paths: ['/event_type'],
      text: expect.stringContaining('did you mean click?'),
    });
    expect(rejectionOf(judged({ ...click, event_type: 'Film_Watched' })).text).toContain('film_watched');
    expect(rejectionOf(judged({ ...click, event_type: 'zzzzzzzzzzzz' })).text).toContain(
      'known are click, page_view, page_time, search_filter_use, quality_change and 41 more',
    );
  });

  test('of a megabyte is rejected without its text', () => {
    const { reason, text } = rejectionOf(judged({ ...click, event_type: 'click'.repeat(200_000) }));
    expect(reason).toBe('unknown_type');
    expect(text.length).toBeLessThan(300);
  });

  test.each([[undefined], [null], [0], [true], [['click']], [{}]])('of the wrong sort is rejected: %p', event_type => {
    expect(rejectionOf(judged({ ...click, event_type }))).toMatchObject({ reason: 'invalid', paths: ['/event_type'] });
  });

  test('comes from the path when the event has none, and must be the same when it has one', () => {
    const { event_type: _, ...untyped } = film;
    for (const pathType of ['film_watched', 'video_complete']) {
      expect(bodyOf(judged(untyped, { origin: { pathType } })).event_type).toBe('film_watched');
      expect(bodyOf(judged(film, { origin: { pathType } })).event_type).toBe('film_watched');
      expect(bodyOf(judged({ ...film, event_type: 'video_complete' }, { origin: { pathType } })).event_type).toBe(
        'film_watched',
      );
      expect(rejectionOf(judged(click, { origin: { pathType } }))).toMatchObject({
        reason: 'invalid',
        paths: ['/event_type'],
      });
    }
    expect(rejectionOf(judged(untyped, { origin: { pathType: 'film_wached' } }))).toMatchObject({
      reason: 'unknown_type',
      text: expect.stringContaining('did you mean film_watched?'),
    });
    expect(rejectionOf(judged(film, { origin: { pathType: 'nothing' } })).reason).toBe('unknown_type');
    expect(rejectionOf(judged({ ...untyped, event_type: null }, { origin: { pathType: 'film_watched' } })).reason).toBe(
      'invalid',
    );
  });
});

describe('a limit', () => {
  test('on bytes counts the event as it would be stored, in UTF-8', () => {
    const stored = (element: string) => ({ ...click, event_id: uuid, element });
    const { envelope } = judged(stored('')) as { envelope: { body: string } };
    const room = 1_000 - envelope.body.length;
    const options = { eventBytesMax: 1_000 };
    expect(judged(stored('x'.repeat(room)), { options }).ok).toBe(true);
    expect(rejectionOf(judged(stored('x'.repeat(room + 1)), { options }))).toMatchObject({
      reason: 'too_large',
      paths: [''],
    });
    expect(judged(stored('é'.repeat(room >> 1)), { options }).ok).toBe(true);
    expect(rejectionOf(judged(stored('é'.repeat((room >> 1) + 1)), { options })).reason).toBe('too_large');
    expect(rejectionOf(judged({ ...click, properties: { a: 'x'.repeat(70_000) } })).reason).toBe('too_large');
  });

  test('on depth counts the event as the first level', () => {
    const deep = (levels: number) => withMember(click, `"properties":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    expect(judgedText(deep(15)).ok).toBe(true);
    expect(rejectionOf(judgedText(deep(16)))).toMatchObject({
      reason: 'invalid',
      paths: [`/properties${'/a'.repeat(15)}`],
      text: expect.stringContaining('is nested deeper than 16 (UGC_JSON_DEPTH_MAX)'),
    });
    expect(rejectionOf(judgedText(deep(100_000))).paths).toEqual([`/properties${'/a'.repeat(15)}`]);
    expect(judgedText(deep(1), { options: { jsonDepthMax: 2 } }).ok).toBe(true);
    expect(judgedText(deep(2), { options: { jsonDepthMax: 2 } }).ok).toBe(false);
  });

  test('on numbers is that of doubles, within properties too', () => {
    for (const [value, path] of [
      ['1e400', '/properties/a'],
      ['-1e400', '/properties/a'],
      ['[1,1e999]', '/properties/a/1'],
      ['{"b":1e309}', '/properties/a/b'],
    ] as const)
      expect(rejectionOf(judgedText(withMember(click, `"properties":{"a":${value}}`))).paths).toEqual([path]);
  });

  test('on text counts UTF-16 units', () => {
    expect(judged({ ...click, country: '😀'.repeat(32) }).ok).toBe(true);
    expect(rejectionOf(judged({ ...click, country: '😀'.repeat(32) + 'x' })).paths).toEqual(['/country']);
  });
});
