// CloudEvents 1.0, read by hand: what the SDK writes is read, and what is none is refused in words, event by event.

import { describe, expect, test } from 'bun:test';
import { CloudEvent, HTTP } from 'cloudevents';
import { catalogue } from '../../../schemas/catalogue.ts';
import { PipelineError } from '../../../src/errors.ts';
import { readBatch, readBinary, readStructured } from '../../../src/ingest/cloudevents.ts';
import { Misread, type Reading } from '../../../src/ingest/reading.ts';
import { bodyOf, click, judged, nowIso, nowMs } from '../../support/edge.ts';

const meaning = { typeOf: catalogue.find, now: () => nowMs };
const { event_type: _, timestamp: time, ...data } = click;
const sent = { specversion: '1.0', id: 'n-1', source: '/shop', type: 'com.example.click', time, data };

type Fields = Record<string, unknown>;
const one = (changes: Fields = {}) =>
  readStructured(JSON.stringify({ ...sent, ...changes }), meaning).events[0] as Fields;

function wordsOf(read: () => Reading | unknown): string {
  try {
    const found = read();
    return found instanceof Misread ? `${found.path} ${found.message}` : `read ${JSON.stringify(found)}`;
  } catch (error) {
    return error instanceof PipelineError ? `${error.code}: ${error.message}` : `not a PipelineError: ${error}`;
  }
}

test('data is the fields, time the timestamp, the rest stands in properties', () => {
  const event = one({ subject: 'button', traceparent: '00-1', sampledrate: 3, dataschema: 'https://example.com/s' });
  expect(event).toEqual({
    ...data,
    event_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/),
    event_type: 'click',
    timestamp: time,
    properties: {
      cloudevent: {
        id: 'n-1',
        source: '/shop',
        type: 'com.example.click',
        subject: 'button',
        traceparent: '00-1',
        sampledrate: 3,
        dataschema: 'https://example.com/s',
      },
    },
  });
  expect(bodyOf(judged(event)).element).toBe('play');
});

describe('the id', () => {
  const idOf = (changes: Fields) => one(changes).event_id;

  test('is the event_id where it is a UUID', () => {
    expect(idOf({ id: '01927A3E-5C1B-7D2F-9E4A-3B6C8D0F1A2E' })).toBe('01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e');
  });

  test('is else made of source and id, the same each time and of no other', () => {
    expect(idOf({})).toBe(idOf({ time: undefined, type: 'click' }));
    // Kept in rows: another id for the same event would be another row.
    expect(idOf({})).toBe('43733bb0-8a91-569b-a7f4-b8b1dcfe7a62');
    const ids = [{}, { id: 'n-2' }, { source: '/sho', id: 'pn-1' }, { source: '/shop","n', id: '1' }, { id: '0' }].map(
      idOf,
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(idOf({ id: '00000000-0000-0000-0000-000000000000' })).not.toStartWith('00000000');
  });

  test('gives way to an event_id in the data, as time does to a timestamp', () => {
    const event_id = '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e';
    expect(one({ data: { ...data, event_id, timestamp: 5 } })).toMatchObject({ event_id, timestamp: 5 });
  });
});

test('without a time it happened now', () => {
  expect(one({ time: undefined }).timestamp).toBe(nowIso);
  expect(one({ time: null }).timestamp).toBe(nowIso);
});

describe('the type', () => {
  test.each([
    ['click', 'click'],
    ['PageVisit', 'PageVisit'],
    ['com.example.click', 'click'],
    ['com.example.film.watched', 'film_watched'],
    ['com.example.film-watched.v2', 'film_watched'],
    ['com.example.Film_Watched.1', 'film_watched'],
    ['com.example.page.view', 'page_view'],
    ['io.click.custom', 'custom'],
    // no type: the judge says so, with what is near
    ['com.example.clik', 'clik'],
    ['com.click.v1.other', 'other'],
    ['v1', 'v1'],
    [`${'a.'.repeat(30_000)}click`, 'click'],
    ['...', ''],
  ])('%s', (type, name) => {
    expect(one({ type }).event_type).toBe(name);
  });

  test('counts, and data may say the same and nothing else', () => {
    expect(one({ type: 'film_watched', data: { event_type: 'video_complete' } }).event_type).toBe('film_watched');
    for (const said of ['page_view', 5, null, 'nothing'])
      expect(wordsOf(() => one({ data: { event_type: said } }))).toStartWith('/event_type expected click as in');
  });
});

test('properties of the data stay, and come first', () => {
  expect(one({ data: { properties: { a: 1, cloudevent: 2 } } }).properties).toEqual({ a: 1, cloudevent: 2 });
  expect(one({ data: { properties: { a: 1 } } }).properties).toMatchObject({ a: 1, cloudevent: { id: 'n-1' } });
  expect(one({ data: { properties: 5 } }).properties).toBe(5); // for the judge
});

describe('what is wrong with one is said with its place', () => {
  test.each([
    [{ specversion: '0.3' }, '/specversion expected "1.0", got the text "0.3"'],
    [{ specversion: 1 }, '/specversion expected "1.0", got 1'],
    [{ specversion: undefined }, '/specversion expected "1.0", got nothing'],
    [{ id: '' }, '/id expected text that is not empty, as every CloudEvent has, got the text ""'],
    [{ id: 7 }, '/id expected text'],
    [{ source: undefined }, '/source expected text'],
    [{ type: null }, '/type expected text'],
    [{ data: [data] }, '/data expected an object with the event’s fields, got a list of 1'],
    [{ data: '{}' }, '/data expected an object'],
    [{ data: undefined, data_base64: '!' }, '/data_base64 is not JSON in base64'],
    [{ data: undefined, data_base64: 'e30x' }, '/data_base64 is not JSON in base64'],
    [{ data: undefined, data_base64: '/////w==' }, '/data_base64 is not JSON in base64'],
    [{ data: undefined, data_base64: 5 }, '/data_base64 expected text, got 5'],
    [{ data: undefined, data_base64: 'W10=' }, '/data expected an object'],
    [{ data_base64: 'e30=' }, '/data_base64 stands beside data'],
    [{ datacontenttype: 'application/xml' }, '/datacontenttype expected JSON, got the text "application/xml"'],
    [{ datacontenttype: 5 }, '/datacontenttype expected JSON, got 5'],
  ])('%j', (changes, words) => {
    expect(wordsOf(() => one(changes))).toStartWith(words);
  });

  test('and JSON by any name is JSON', () => {
    for (const datacontenttype of ['application/json', 'text/json; charset=utf-8', 'application/vnd.shop+json', null])
      expect(one({ datacontenttype }).element).toBe('play');
    expect(one({ data: undefined, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') }).element).toBe(
      'play',
    );
  });

  test('and costs no other of a batch', () => {
    const { events, isSingle } = readBatch(JSON.stringify([sent, { ...sent, id: '' }, 5, sent]), meaning);
    expect(isSingle).toBe(false);
    expect(events.map(event => (event instanceof Misread ? event.path : 'read'))).toEqual(['read', '/id', '', 'read']);
  });
});

test('a batch is a list', () => {
  expect(wordsOf(() => readBatch(JSON.stringify(sent), meaning))).toStartWith('bad_request: a batch of CloudEvents is');
  expect(readBatch('[]', meaning).events).toEqual([]);
  expect(wordsOf(() => readBatch('[', meaning))).toStartWith('not_json: ');
  expect(wordsOf(() => readStructured(JSON.stringify([sent]), meaning).events[0])).toStartWith(
    ' expected a CloudEvent',
  );
});

describe('in binary mode', () => {
  const headers = (more: Record<string, string> = {}) =>
    new Headers({
      'ce-specversion': '1.0',
      'ce-id': 'n-1',
      'ce-source': '/shop',
      'ce-type': 'com.example.click',
      ...more,
    });
  const binary = (more?: Record<string, string>, body: unknown = data) =>
    readBinary(headers(more), JSON.stringify(body), meaning).events[0] as Fields;

  test('the headers are the attributes, and it is the same event', () => {
    expect(binary({ 'ce-time': time, 'content-type': 'application/json' })).toEqual(one());
  });

  test('values are percent-decoded once, inside of quotes too', () => {
    const said = binary({
      'ce-subject': 'Euro%20%E2%82%AC%20%2541',
      'ce-quoted': '"a \\"b\\" %22c"',
      'ce-plus': 'a+b 5 %',
    });
    expect((said.properties as { cloudevent: object }).cloudevent).toMatchObject({
      subject: 'Euro € %41',
      quoted: 'a "b" "c',
      plus: 'a+b 5 %',
    });
  });

  test('what is not percent-encoded UTF-8, or no JSON, is refused', () => {
    for (const value of ['%E9', '%ff', 'a%C0%AF'])
      expect(wordsOf(() => binary({ 'ce-subject': value }))).toBe(
        'bad_request: the header ce-subject is not percent-encoded UTF-8',
      );
    expect(wordsOf(() => binary({ 'content-type': 'text/xml' }))).toStartWith('unsupported_media_type: the data of');
    expect(wordsOf(() => readBinary(headers(), '{', meaning))).toStartWith('not_json');
    expect(wordsOf(() => binary({}, []))).toStartWith('/data expected an object');
  });
});

describe('what the SDK writes', () => {
  const event = new CloudEvent({ ...sent, subject: 'Ü"%', ext: 'é 1' });

  test('is read alike in every mode', () => {
    const structured = HTTP.structured(event);
    const binary = HTTP.binary(event);
    const read = readStructured(structured.body as string, meaning).events[0] as Fields;
    expect(
      readBinary(new Headers(binary.headers as Record<string, string>), binary.body as string, meaning).events,
    ).toEqual([read]);
    expect(readBatch(JSON.stringify([event, event]), meaning).events).toEqual([read, read]);
    expect(bodyOf(judged(read)).properties).toMatchObject({ cloudevent: { subject: 'Ü"%', ext: 'é 1' } });
  });
});
