// Stored bodies for tests of the archive's files: of any type, any that the edge takes, received within a month.

import fc from 'fast-check';
import { catalogue, catalogueOf } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import { parseJson } from '../../src/record/json.ts';
import { anyEventOf, jsonOf } from './any-event.ts';
import { everyKind } from './every-kind.ts';

/** The catalogue's, and one of every kind of field. */
export const archivedTypes = catalogueOf([everyKind, ...catalogue.types]);

export const monthMs = Date.parse('2026-11-01T00:00:00Z');
const dayMs = 86_400_000;

const judge = judgeOf({
  catalogue: archivedTypes,
  topic: 'ugc.{event_type}',
  eventBytesMax: 1_048_576,
  jsonDepthMax: 16,
  eventAgeMaxDays: 1_825,
  eventFutureMaxHours: 24,
  unknownFields: 'reject',
});

export interface ArchivedDay {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly bodies: readonly string[];
}

/** Bodies of so many days of November 2026, so many a day, the type's example among them. */
export function archivedDays(
  type: EventType,
  { days, perDay, seed }: { readonly days: number; readonly perDay: number; readonly seed: number },
): readonly ArchivedDay[] {
  const events = fc.sample(anyEventOf(type, monthMs), { numRuns: days * perDay, seed });
  return Array.from({ length: days }, (_, at) => {
    const receivedAtMs = monthMs + at * dayMs + ((at * 7_919_000) % dayMs);
    const bodies = [type.example, ...events.slice(at * perDay, (at + 1) * perDay)]
      .slice(at === 0 ? 0 : 1)
      .map(event => {
        const verdict = judge(parseJson(jsonOf(event)) as Record<string, unknown>, {
          ...{ receivedAtMs, source: 'key "1"', ip: '::1', userAgent: 'a\\b"\u{1f600}' },
          ...{ pathType: null, sentAt: undefined },
        });
        if (!verdict.ok) throw new Error(`${jsonOf(event)} is rejected: ${jsonOf(verdict)}`);
        return verdict.envelope.body;
      });
    return { day: new Date(receivedAtMs).toISOString().slice(0, 10), bodies };
  });
}
