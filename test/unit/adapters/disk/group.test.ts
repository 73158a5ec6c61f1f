// How envelopes become runs: what a reader of the buffer relies on when it looks at a run's first record alone.

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { groupRuns } from '../../../../src/adapters/disk/log/group.ts';
import type { RunHead } from '../../../../src/adapters/disk/log/worker.ts';
import type { Envelope } from '../../../../src/ports/log.ts';

const envelopeOf = ({ type, version, key }: Pick<Envelope, 'type' | 'version' | 'key'>, at: number): Envelope => ({
  id: `${at}`,
  type,
  version,
  topic: 'events',
  key,
  body: JSON.stringify({ type, version, at }),
  receivedAtMs: at,
});

const anyEnvelopes = fc.array(
  fc.record({
    type: fc.constantFrom('click', 'page_view'),
    version: fc.constantFrom(0, 1, 2),
    key: fc.constantFrom('a', null),
  }),
  { maxLength: 60 },
);

test('a run is of one topic, type and version, in the order things were appended in, whoever appended them', () => {
  fc.assert(
    fc.property(anyEnvelopes, fc.nat(60), (given, cut) => {
      const envelopes = given.map(envelopeOf);
      const { head, text } = groupRuns([envelopes.slice(0, cut), envelopes.slice(cut)]);
      let at = 0;
      const found = (JSON.parse(head) as RunHead[]).flatMap(([, type, count, , bodiesLength, keysLength]) => {
        const bodies = text
          .slice(at, at + bodiesLength)
          .split('\n')
          .slice(0, -1);
        const keys = JSON.parse(text.slice(at + bodiesLength, at + bodiesLength + keysLength)) as (string | null)[];
        at += bodiesLength + keysLength;
        const records = bodies.map(body => JSON.parse(body) as { type: string; version: number; at: number });
        expect(records).toHaveLength(count);
        expect(keys).toEqual(records.map(record => envelopes[record.at]!.key));
        expect(new Set(records.map(record => record.version)).size).toBe(1);
        expect(records.every(record => record.type === type)).toBe(true);
        expect(records.map(record => record.at)).toEqual(records.map(record => record.at).toSorted((a, b) => a - b));
        return records.map(record => record.at);
      });
      expect(at).toBe(text.length);
      expect(found.toSorted((a, b) => a - b)).toEqual(envelopes.map((_, index) => index));
    }),
  );
});
