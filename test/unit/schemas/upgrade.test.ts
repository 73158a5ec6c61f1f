// The chain from an older record to the version there is.

import { describe, expect, test } from 'bun:test';
import { defineEvent, type Upgrade } from '../../../schemas/event.ts';
import { text } from '../../../schemas/field.ts';
import { typePage } from '../../../schemas/markdown.ts';
import { upgrade } from '../../../schemas/upgrade.ts';
import { binaryOf } from '../../support/versions.ts';

const { type } = binaryOf(3);
const identity = {
  event_type: 'seat_booked',
  event_id: '0190a000-0000-7000-8000-000000000001',
  timestamp: '2026-11-21T11:59:59.123Z',
  sent_at: null,
};

const withUpgrade = (apply: Upgrade['apply']) =>
  defineEvent({
    name: 'x',
    family: 'x',
    stream: 'event',
    version: 2,
    upgrades: { 1: { about: 'x', apply } },
    summary: 'X',
    fields: { note: text({ about: 'x' }) },
    example: {},
  });

describe('a record', () => {
  test('of the first version goes through every upgrade in turn, one of the second only through the last', () => {
    expect(upgrade(type, { ...identity, chair: '12' }, 1)).toEqual({ ...identity, seat: 12, hall: 0 });
    expect(upgrade(type, { ...identity, seat: 12 }, 2)).toEqual({ ...identity, seat: 12, hall: 0 });
  });

  test('of the version there is stays as it is', () => {
    const record = { ...identity, seat: 12, hall: 2 };
    expect(upgrade(type, record, 3)).toEqual(record);
  });

  test('keeps who it is and when it happened, whatever an upgrade says of it', () => {
    const liar = withUpgrade(() => ({ event_id: 'x', timestamp: 0, event_type: 'y', note: 'n' }));
    expect(upgrade(liar, identity, 1)).toEqual({ ...identity, note: 'n' });
    const { sent_at: _, ...unsent } = identity;
    expect(upgrade(liar, unsent, 1)).not.toHaveProperty('sent_at');
  });

  test('is not the upgrade’s to write on', () => {
    const record = { ...identity, note: 'n' };
    const writer = withUpgrade(given => Object.assign(given as Record<string, unknown>, { note: 'm' }));
    expect(() => upgrade(writer, record, 1)).toThrow('the upgrade from version 1 to 2 failed');
    expect(record.note).toBe('n');
    record.note = 'still ours to write on';
  });

  test('that an upgrade cannot take, or makes into none, is told by the version', () => {
    const thrower = withUpgrade(() => {
      throw new Error('no note');
    });
    expect(() => upgrade(thrower, identity, 1)).toThrow('the upgrade from version 1 to 2 failed: no note');
    for (const nothing of [null, undefined, [], 'x'])
      expect(() =>
        upgrade(
          withUpgrade(() => nothing as never),
          identity,
          1,
        ),
      ).toThrow('it gave no record');
  });
});

test('the documentation of a type says what each version changed', () => {
  expect(typePage(type)).toContain(
    'version 3, kept for ever.\n\nRecords of earlier versions are read as this one:\n\n' +
      '- Version 2: `chair`, a text, became `seat`, a number.\n' +
      '- Version 3: `hall` is told; of bookings before it is unknown.\n\n| Field |',
  );
  expect(typePage(binaryOf(1).type)).toContain('version 1, kept for ever.\n\n| Field |');
});
