// What unit tests of the edge share: a moment, an origin, a judge with the default limits, one good event of each type.

import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import { type JudgeOptions, judgeOf, type Verdict } from '../../src/catalogue/judge.ts';
import type { Origin } from '../../src/catalogue/origin.ts';
import type { RejectReason } from '../../src/catalogue/rejection.ts';
import type { ApiPart } from '../../src/http/openapi.ts';
import { eventsApiOf } from '../../src/ingest/openapi.ts';

/** The moment all these tests happen at. */
export const nowMs = Date.UTC(2026, 10, 21, 12);
export const nowIso = '2026-11-21T12:00:00.000Z';

export const judgeOptions: JudgeOptions = {
  catalogue,
  topic: 'ugc.{event_type}',
  eventBytesMax: 65_536,
  jsonDepthMax: 16,
  eventAgeMaxDays: 1825,
  eventFutureMaxHours: 24,
  unknownFields: 'reject',
};

/** What that edge says in the document. */
export const testApi: ApiPart = eventsApiOf({
  ...judgeOptions,
  bodyBytesMax: 100_000,
  bodyDecompressedBytesMax: 200_000,
  bodyEventsMax: 5,
});

export const originOf = (changes: Partial<Origin> = {}): Origin => ({
  receivedAtMs: nowMs,
  source: '',
  ip: '127.0.0.1',
  userAgent: 'test',
  pathType: null,
  sentAt: undefined,
  ...changes,
});

export const click = {
  event_type: 'click',
  timestamp: '2026-11-21T11:59:59Z',
  user_id: 'u1',
  country: 'US',
  device: 'mobile',
  element: 'play',
  page_url: 'https://example.com/',
};

export const film = {
  event_type: 'film_watched',
  timestamp: '2026-11-21T11:59:59Z',
  country: 'US',
  device: 'mobile',
  video_id: 'v1',
  duration: 3660,
};

export const quality = {
  event_type: 'quality_change',
  timestamp: '2026-11-21T11:59:59Z',
  country: 'US',
  device: 'mobile',
  video_id: 'v1',
  from_quality: '240p',
  to_quality: '720p',
  current_time: 3600,
};

interface Judging {
  readonly origin?: Partial<Origin>;
  readonly options?: Partial<JudgeOptions>;
}

export const judged = (event: unknown, { origin, options }: Judging = {}): Verdict =>
  judgeOf({ ...judgeOptions, ...options })(event, originOf(origin));

/** The same, of an event spelled as JSON. */
export const judgedText = (text: string, judging?: Judging): Verdict => judged(JSON.parse(text), judging);

export type Body = Record<string, unknown>;

/** The stored body of an event that must be accepted. */
export function bodyOf(verdict: Verdict): Body {
  if (!verdict.ok) throw new Error(`rejected: ${JSON.stringify(verdict)}`);
  return JSON.parse(verdict.envelope.body) as Body;
}

/** `reason path message` of an event that must be rejected. */
export function rejectionOf(verdict: Verdict): { reason: RejectReason; paths: string[]; text: string } {
  if (verdict.ok) throw new Error(`accepted: ${verdict.envelope.body}`);
  const { reason, errors } = verdict;
  return {
    reason,
    paths: errors.map(error => error.path),
    text: errors.map(error => `${error.path} ${error.message}`).join('; '),
  };
}

export const fixtureText = (path: string): Promise<string> =>
  Bun.file(join(import.meta.dir, '../fixtures', path)).text();

/** The documents' own examples, by file name. */
export const filmExamples = ['click', 'page-view', 'search-filter-use', 'quality-change', 'film-watched'] as const;
