// What looks wrong with an event that is taken, and that of all others nothing is said.

import { describe, expect, test } from 'bun:test';
import { catalogueOf } from '../../../schemas/catalogue.ts';
import { defineEvent } from '../../../schemas/event.ts';
import { number } from '../../../schemas/field.ts';
import type { JudgeOptions } from '../../../src/catalogue/judge.ts';
import type { Origin } from '../../../src/catalogue/origin.ts';
import { type Warnings, warned, warningText, warningWords } from '../../../src/catalogue/warning.ts';
import { click, film, judged, nowMs } from '../../support/edge.ts';

interface Judging {
  readonly origin?: Partial<Origin>;
  readonly options?: Partial<JudgeOptions>;
}

function warningsOf(event: unknown, judging?: Judging): Warnings | undefined {
  const verdict = judged(event, judging);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict));
  expect('warnings' in verdict).toBe(verdict.warnings !== undefined);
  return verdict.warnings;
}

const words = (event: unknown, judging?: Judging) => warningsOf(event, judging)?.words ?? [];

test('of an event as it should be nothing is said', () => {
  for (const event of [click, film, { ...click, sent_at: nowMs, properties: { any: ['thing'] } }])
    expect(words(event)).toEqual([]);
});

describe('a client’s clock', () => {
  const sentAt = (ms: number, more = {}) => words({ ...click, sent_at: nowMs + ms, ...more });

  test.each([[-60_000], [-1], [0], [1], [10_000]])('off by %p ms is no matter', ms => {
    expect(sentAt(ms)).toEqual([]);
  });

  test.each([[-60_001], [10_001], [-86_400_000], [3_600_000]])('off by %p ms is told', ms => {
    expect(sentAt(ms)).toEqual(['clock_corrected']);
  });

  test('is told of by the sent_at around the events as well, and of an event without a timestamp', () => {
    const origin = { sentAt: nowMs - 3_600_000 };
    expect(words(click, { origin })).toEqual(['clock_corrected']);
    const { timestamp: _, ...untimed } = click;
    expect(words(untimed, { origin })).toEqual(['clock_corrected']);
  });

  test('of an event that an edge has judged before is not told again', () => {
    expect(words({ ...click, sent_at: nowMs - 3_600_000 }, { origin: { wasJudged: true } })).toEqual([]);
  });
});

describe('fields that are dropped', () => {
  const options = { unknownFields: 'drop' } as const;
  const droppedOf = (event: object) => warningsOf(event, { options });

  test('are named, as JSON pointers of bounded length and number', () => {
    expect(droppedOf({ ...click, elment: 'x', 'a/b~c': null })).toEqual({
      words: ['fields_dropped'],
      dropped: ['/elment', '/a~1b~0c'],
    });
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`${at}x`.padEnd(300, '\ud800'), at]));
    const { dropped } = droppedOf({ ...click, ...many })!;
    expect(dropped).toHaveLength(10);
    for (const pointer of dropped) expect([pointer.length <= 101, pointer.isWellFormed()]).toEqual([true, true]);
  });

  test('are not told of where there are none, and not where they are rejected', () => {
    expect(droppedOf({ ...click, event_id: '0190a0b1-c2d3-7e4f-8a5b-000000000001', sent_at: nowMs })).toBeUndefined();
    expect(judged({ ...click, x: 1 })).toMatchObject({ ok: false });
  });
});

describe('a number that is stored as another', () => {
  const measured = defineEvent({
    name: 'measured',
    family: 'film',
    stream: 'event',
    version: 1,
    summary: 'A number',
    fields: { value: number({ about: 'Any' }) },
    example: {},
  });
  const { element: _, page_url: __, ...common } = click;
  const event = (value: unknown) => ({ ...common, event_type: 'measured', value });
  const options = { catalogue: catalogueOf([measured]) };

  test('is told, and not one that is the same', () => {
    expect(words(event(2n ** 53n + 1n), { options })).toEqual(['number_rounded']);
    expect(words(event(2n ** 60n), { options })).toEqual([]);
    expect(words(event(1.5), { options })).toEqual([]);
  });
});

test('a bot is told that it is taken for one, when bots are marked', () => {
  expect(words(click, { origin: { derived: { isBot: true } } })).toEqual(['bot']);
  expect(words(click, { origin: { derived: { isBot: false } } })).toEqual([]);
});

test('several are told together, in an order that does not change', () => {
  const options = { unknownFields: 'drop' } as const;
  const origin = { derived: { isBot: true } };
  expect(words({ ...click, x: 1, sent_at: nowMs - 3_600_000 }, { options, origin })).toEqual([
    'clock_corrected',
    'fields_dropped',
    'bot',
  ]);
});

describe('in an answer', () => {
  test('nothing is nothing', () => expect(warningText(undefined)).toBe(''));

  test('they are two members at its end', () => {
    const warnings = { words: ['fields_dropped', 'bot'], dropped: ['/"\\'] } as const;
    expect(JSON.parse(`{"a":1${warningText(warnings)}}`)).toEqual({
      a: 1,
      warning: ['fields_dropped', 'bot'],
      dropped_fields: ['/"\\'],
    });
    expect(warningText(warned(undefined, 'repeated'))).toBe(',"warning":["repeated"]');
    expect(warned({ words: ['bot'], dropped: ['/x'] }, 'repeated')).toEqual({
      words: ['bot', 'repeated'],
      dropped: ['/x'],
    });
  });

  test('every word is one a program can hold on to', () => {
    for (const [word, about] of Object.entries(warningWords)) {
      expect(word).toMatch(/^[a-z_]+$/);
      expect(about).not.toContain('\n');
    }
  });
});
