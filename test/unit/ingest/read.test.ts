import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { catalogue } from '../../../schemas/catalogue.ts';
import { PipelineError } from '../../../src/errors.ts';
import { arrivalOf } from '../../../src/http/arrival.ts';
import { readEvents } from '../../../src/ingest/read.ts';
import type { Reading, ReadLimits } from '../../../src/ingest/reading.ts';
import { filmExamples, fixtureText, nowMs } from '../../support/edge.ts';

const limits: ReadLimits = {
  bodyBytesMax: 100_000,
  bodyDecompressedBytesMax: 200_000,
  bodyEventsMax: 5,
  bodyTimeoutMs: 60_000,
};

interface Sent {
  readonly type?: string;
  readonly encoding?: string;
  readonly length?: number;
  readonly limits?: Partial<ReadLimits>;
}

function read(body: Bun.BodyInit | null, { type, encoding, length, limits: other }: Sent = {}): Promise<Reading> {
  const headers = new Headers();
  if (encoding !== undefined) headers.set('content-encoding', encoding);
  if (length !== undefined) headers.set('content-length', String(length));
  const request = new Request('http://test/v1/events', { method: 'POST', body, headers });
  if (type === undefined) request.headers.delete('content-type');
  else request.headers.set('content-type', type);
  const options = { limits: { ...limits, ...other }, typeOf: catalogue.find, now: () => nowMs };
  return readEvents({ request, arrival: arrivalOf(request), params: {} }, options);
}

const lines = (body: Bun.BodyInit, sent: Sent = {}): Promise<Reading> =>
  read(body, { type: 'application/x-ndjson', ...sent });

/** `code: message` of the PipelineError a reading must reject with. */
const refusal = (reading: Promise<Reading>): Promise<string> =>
  reading.then(
    ({ events }) => `read ${events.length} events`,
    error => (error instanceof PipelineError ? `${error.code}: ${error.message}` : `not a PipelineError: ${error}`),
  );

describe('a JSON body', () => {
  test.each([
    ['{"a":1}', { isSingle: true, events: [{ a: 1 }], sentAt: undefined }],
    [' \r\n\t{"a":1}\n', { isSingle: true, events: [{ a: 1 }], sentAt: undefined }],
    ['{"event":{"a":1}}', { isSingle: true, events: [{ a: 1 }], sentAt: undefined }],
    ['{"event":{"a":1},"sent_at":5}', { isSingle: true, events: [{ a: 1 }], sentAt: 5 }],
    ['{"event":null}', { isSingle: true, events: [null], sentAt: undefined }],
    ['{"event":[]}', { isSingle: true, events: [[]], sentAt: undefined }],
    ['[{"a":1},2,null]', { isSingle: false, events: [{ a: 1 }, 2, null], sentAt: undefined }],
    ['[]', { isSingle: false, events: [], sentAt: undefined }],
    ['{"events":[{"a":1}]}', { isSingle: false, events: [{ a: 1 }], sentAt: undefined }],
    ['{"events":[],"sent_at":"x"}', { isSingle: false, events: [], sentAt: 'x' }],
    ['null', { isSingle: true, events: [null], sentAt: undefined }],
    ['"text"', { isSingle: true, events: ['text'], sentAt: undefined }],
    ['{}', { isSingle: true, events: [{}], sentAt: undefined }],
    // no wrapper: a field of its own makes it an event
    ['{"event":{"a":1},"x":1}', { isSingle: true, events: [{ event: { a: 1 }, x: 1 }], sentAt: undefined }],
    [
      '{"events":[1],"event_type":"click"}',
      { isSingle: true, events: [{ events: [1], event_type: 'click' }], sentAt: undefined },
    ],
    ['{"events":[1],"event":1}', { isSingle: true, events: [{ events: [1], event: 1 }], sentAt: undefined }],
    ['{"events":{}}', { isSingle: true, events: [{ events: {} }], sentAt: undefined }],
    ['{"sent_at":1}', { isSingle: true, events: [{ sent_at: 1 }], sentAt: undefined }],
  ])('%s is understood', async (body, reading) => {
    expect(await read(body)).toEqual({ ...reading, isPlain: true });
  });

  test('with __proto__ keys is data and nothing else', async () => {
    const { events, isSingle } = await read('{"__proto__":{"events":[1]},"constructor":{}}');
    expect(isSingle).toBe(true);
    expect(Object.keys(events[0] as object)).toEqual(['__proto__', 'constructor']);
  });

  test('with an escape anywhere is not plain, whatever it spells', async () => {
    for (const body of ['{"a":"\\u0061"}', '{"\\"":1}', '[1,{"a":"\\ud800"}]', String.raw`["\\\\"]`])
      expect((await read(body)).isPlain).toBe(false);
    expect((await read('{"a":"💥\u2028\u007f"}')).isPlain).toBe(true);
    expect((await lines('{"a":1}\n{"a":"\\n"}')).isPlain).toBe(false);
  });

  test('may have a byte order mark in front, but one only and nowhere else', async () => {
    expect((await read('\ufeff{"a":1}')).events).toEqual([{ a: 1 }]);
    expect(await refusal(read('\ufeff\ufeff{"a":1}'))).toStartWith('not_json');
    expect(await refusal(read('{"a":1}\ufeff'))).toStartWith('not_json');
  });

  test.each(filmExamples)('of the documents’ example %s is one event', async name => {
    const text = await fixtureText(`film/${name}.json`);
    expect(await read(text)).toEqual({
      isSingle: true,
      events: [JSON.parse(text).event],
      sentAt: undefined,
      isPlain: true,
    });
  });

  test.each([
    ['page-view', 'line 10, column 3'],
    ['search-filter-use', 'line 10, column 3'],
    ['quality-change', 'line 12, column 3'],
    ['film-watched', 'line 10, column 3'],
  ])('of the documents’ %s with their trailing comma is refused with its place', async (name, place) => {
    const text = await fixtureText(`film/${name}.trailing-comma.txt`);
    expect(await refusal(read(text))).toBe(`not_json: ${place}: property name expected`);
  });
});

describe('what is no JSON is refused with the place where it stops being some', () => {
  test.each([
    ['', 'the body is empty'],
    [' \n\t ', 'the body is empty'],
    ['\ufeff', 'the body is empty'],
    ['{', 'line 1, column 2'],
    ['{"a":1', 'line 1, column 7'],
    ['{"a":1}}', 'line 1, column 8'],
    ['{"a":1}{"a":2}', 'line 1, column 8'],
    ['{"a":1}\n{"a":2}', 'line 2, column 1'],
    ['[1,]', 'line 1, column 4'],
    ['[1,,2]', 'line 1, column 4'],
    ["{'a':1}", 'line 1, column 2'],
    ['{a:1}', 'line 1, column 2'],
    ['{"a" 1}', 'line 1, column 6'],
    ['{"a":}', 'line 1, column 6'],
    ['{"a":NaN}', 'line 1, column 6'],
    ['{"a":Infinity}', 'line 1, column 6'],
    ['{"a":-Infinity}', 'line 1, column 6'],
    ['{"a":undefined}', 'line 1, column 6'],
    ['{"a":"\n"}', 'line 1, column 6'],
    ['{"a":"\\x"}', 'line 1, column 6'],
    ['{"a":"\\u12"}', 'line 1, column 6'],
    ['// comment\n{}', 'line 1, column 1'],
    ['{"a":1 /* comment */}', 'line 1, column 8'],
    ['event_type=click', 'line 1, column 1'],
    ['<event/>', 'line 1, column 1'],
    ['{"a":01}', ''],
    ['{"a":.5}', ''],
    ['{"a":+1}', ''],
    ['{"a":1.}', ''],
    ['{"a":0x10}', ''],
    ['{"a":"\u0000"}', ''],
    ['\u00a0{}', ''],
    ['{"a":"b', ''],
  ])('%j: %s', async (body, place) => {
    const said = await refusal(read(body));
    expect(said).toStartWith('not_json: ');
    expect(said).toContain(place);
    expect(said.length).toBeLessThan(200);
  });

  test('also when it is nested a million levels deep, closed or not', async () => {
    const other = { bodyBytesMax: 10_000_000, bodyDecompressedBytesMax: 10_000_000 };
    expect(await refusal(read('['.repeat(1_000_000), { limits: other }))).toStartWith('not_json: ');
    expect(await refusal(read('{"a":'.repeat(100_000), { limits: other }))).toStartWith('not_json: ');
    const closed = read('['.repeat(1_000_000) + ']'.repeat(1_000_000), { limits: other });
    expect(await refusal(closed)).toBe('not_json: the JSON is nested deeper than 1000 levels');
  });
});

describe('bytes that are not UTF-8 are refused', () => {
  test.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['an overlong NUL', [0x22, 0xc0, 0x80, 0x22]],
    ['half a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a whole surrogate pair, each half in three bytes', [0x22, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, 0x22]],
    ['beyond the last code point', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ['five bytes', [0x22, 0xf8, 0x88, 0x80, 0x80, 0x80, 0x22]],
    ['a character cut short', [0x22, 0xf0, 0x9f, 0x98]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
    ['0xff', [0xff]],
    ['UTF-16 with its mark', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('%s', async (_, bytes) => {
    expect(await refusal(read(Buffer.from(bytes)))).toBe('not_json: the body is not valid UTF-8');
    expect(await refusal(lines(Buffer.from(bytes)))).toBe('not_json: the body is not valid UTF-8');
  });

  test('while characters of every length are taken', async () => {
    expect((await read('"é€😀\\u0000"')).events).toEqual(['é€😀\u0000']);
  });
});

describe('lines', () => {
  test('are events, one each, whatever ends them, blank ones left out', async () => {
    const expected = { isSingle: false, events: [{ a: 1 }, { a: 2 }], sentAt: undefined, isPlain: true };
    for (const body of [
      '{"a":1}\n{"a":2}',
      '{"a":1}\n{"a":2}\n',
      '{"a":1}\r\n{"a":2}\r\n',
      '\n\n{"a":1}\n \t\r\n{"a":2}\n\n',
      '\ufeff{"a":1}\n{"a":2}',
    ])
      expect(await lines(body)).toEqual(expected);
  });

  test('are a list even when there is one', async () => {
    expect(await lines('{"a":1}')).toMatchObject({ isSingle: false, events: [{ a: 1 }] });
  });

  test('that are no JSON are errors in their places and cost no other line', async () => {
    const { events } = await lines('{"a":1}\n{"a":\n[1,]\n{"a":2}\nnull');
    expect(events.map(event => (event instanceof PipelineError ? event.message : event))).toEqual([
      { a: 1 },
      'line 1, column 6: value expected',
      'line 1, column 4: value expected',
      { a: 2 },
      null,
    ]);
  });

  test('are ended by nothing but a newline: not by NEL, LS, PS or a lone carriage return', async () => {
    expect((await lines('"\u0085\u2028\u2029"')).events).toEqual(['\u0085\u2028\u2029']);
    expect((await lines('{"a":1}\r{"a":2}')).events[0]).toBeInstanceOf(PipelineError);
  });

  test('of nothing are an empty body', async () => {
    for (const body of ['', '\n', '\r\n \n\t']) expect(await refusal(lines(body))).toBe('not_json: the body is empty');
  });

  test('may be blank, hundreds of them, not a million', async () => {
    const other = { bodyBytesMax: 2_000_000, bodyDecompressedBytesMax: 2_000_000 };
    const after = (blanks: number) => lines(`${'\n'.repeat(blanks)}{"a":1}`, { limits: other });
    expect((await after(900)).events).toEqual([{ a: 1 }]);
    expect(await refusal(after(1_000_000))).toStartWith('too_large: the body holds more than');
  });
});

describe('a content type', () => {
  test.each([
    undefined,
    '',
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"',
    'application/json; charset=us-ascii',
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/json;',
  ])('is JSON: %s', async type => {
    expect(await read('[1]', type === undefined ? {} : { type })).toMatchObject({ events: [1] });
  });

  test.each([
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
    'application/x-jsonlines',
    'Application/X-NDJSON; charset=utf-8',
  ])('is lines: %s', async type => {
    expect(await read('1\n2', { type })).toMatchObject({ events: [1, 2] });
  });

  test.each([
    'application/xml',
    'text/html',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'json',
    'application/json, text/plain',
    '__proto__',
    'application/json; charset=utf-16',
    'text/plain; charset=iso-8859-1',
    'x'.repeat(5_000),
  ])('is not supported: %s', async type => {
    const said = await refusal(read('[1]', { type }));
    expect(said).toStartWith('unsupported_media_type: ');
    expect(said.length).toBeLessThan(250);
  });
});

describe('a limit', () => {
  const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;

  test('on bytes holds to the byte, announced or not', async () => {
    for (const size of [limits.bodyBytesMax, 1_000]) {
      const other = { bodyBytesMax: size };
      expect((await read(text(size), { limits: other, length: size })).events).toHaveLength(1);
      expect((await read(streamOf([text(size)]), { limits: other })).events).toHaveLength(1);
      expect(await refusal(read(text(size + 1), { limits: other, length: size + 1 }))).toStartWith('too_large');
      expect(await refusal(read(streamOf([text(size), ' ']), { limits: other }))).toStartWith('too_large');
    }
  });

  test('on an announced length refuses before anything has arrived', async () => {
    const { stream, wasCancelled } = watched();
    expect(await refusal(read(stream, { length: 100_001 }))).toStartWith('too_large');
    expect(wasCancelled()).toBe(false); // whoever answers reads on, and lets go of it
  });

  test('on bytes stops reading a body that goes on for ever', async () => {
    let given = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: controller => {
        given++;
        controller.enqueue(Buffer.alloc(10_000, ' '));
      },
    });
    expect(await refusal(read(endless))).toStartWith('too_large');
    expect(given).toBeLessThan(20);
  });

  test('on bytes holds again after decompression', async () => {
    expect((await read(gzipSync(text(200_000)), { encoding: 'gzip' })).events).toHaveLength(1);
    expect(await refusal(read(gzipSync(text(200_001)), { encoding: 'gzip' }))).toStartWith('too_large');
    expect(await refusal(read(gzipSync(Buffer.alloc(50_000_000)), { encoding: 'gzip' }))).toStartWith('too_large');
  });

  test('on events counts those of every shape', async () => {
    const five = [1, 2, 3, 4, 5];
    for (const [body, type] of [
      [JSON.stringify(five), 'application/json'],
      [JSON.stringify({ events: five }), 'application/json'],
      [five.join('\n'), 'application/jsonl'],
      [`${five.join('\n\n\n')}\n\n`, 'application/jsonl'],
    ] as const) {
      expect((await read(body, { type })).events).toEqual(five);
      expect(
        await refusal(
          read(body.replace('5', '5,6').replace('5,6', type === 'application/jsonl' ? '5\n6' : '5,6'), { type }),
        ),
      ).toStartWith('too_large: the body holds more than 5 events');
    }
  });
});

describe('a compressed body', () => {
  test('is read in every form', async () => {
    expect((await read(gzipSync('{"events":[1,2]}'), { encoding: 'gzip' })).events).toEqual([1, 2]);
    expect((await lines(gzipSync('1\n2'), { encoding: 'GZIP' })).events).toEqual([1, 2]);
    expect((await read('[1]', { encoding: 'identity' })).events).toEqual([1]);
  });

  test('of nothing is an empty body', async () => {
    expect(await refusal(read(gzipSync(''), { encoding: 'gzip' }))).toBe('not_json: the body is empty');
  });

  test('that is not compressed, or cut short, is a bad request', async () => {
    expect(await refusal(read('[1]', { encoding: 'gzip' }))).toStartWith('bad_request: the body is not valid gzip');
    expect(await refusal(read(gzipSync('[1]').subarray(0, -1), { encoding: 'gzip' }))).toStartWith('bad_request');
    expect(await refusal(read(null, { encoding: 'gzip' }))).toStartWith('bad_request');
  });

  test('in an unknown way is not supported', async () => {
    expect(await refusal(read('[1]', { encoding: 'lzma' }))).toStartWith('unsupported_media_type');
  });
});

describe('a body in pieces', () => {
  test('is put together, characters cut in the middle too', async () => {
    const bytes = Buffer.from('["é€😀"]');
    const pieces = Array.from(bytes, byte => Uint8Array.of(byte));
    expect((await read(streamOf(pieces))).events).toEqual(['é€😀']);
  });

  test('may be empty', async () => {
    expect(await refusal(read(streamOf([])))).toBe('not_json: the body is empty');
    expect(await refusal(read(null))).toBe('not_json: the body is empty');
  });

  test('that stalls is given up after the time-out', async () => {
    const { stream } = watched('[1');
    expect(await refusal(read(stream, { limits: { bodyTimeoutMs: 20 } }))).toStartWith('body_timeout');
  });

  test('that breaks off is a bad request', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start: controller => controller.enqueue(Buffer.from('[1')),
      pull: controller => controller.error(new Error('reset')),
    });
    expect(await refusal(read(broken))).toBe('bad_request: the body did not arrive whole: reset');
  });

  test('that keeps moving may take longer than the time-out', async () => {
    const bodyTimeoutMs = 1_500;
    let left = 8;
    const slow = new ReadableStream<Uint8Array>({
      pull: async controller => {
        await Bun.sleep(bodyTimeoutMs / 6);
        controller.enqueue(Buffer.from(left === 8 ? '[' : left === 1 ? ']' : '  '));
        if (--left === 0) controller.close();
      },
    });
    expect((await read(slow, { limits: { bodyTimeoutMs } })).events).toEqual([]);
  });
});

function streamOf(pieces: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: controller => {
      for (const piece of pieces) controller.enqueue(Buffer.from(piece as string));
      controller.close();
    },
  });
}

/** A body that gives `first` and then nothing, and tells whether its reader let go of it. */
function watched(first?: string) {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: controller => {
      if (first !== undefined) controller.enqueue(Buffer.from(first));
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return { stream, wasCancelled: () => cancelled };
}
