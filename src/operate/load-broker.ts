// The lanes of `ugc load --into=broker`: each event is judged and stamped as an edge judges it and handed to the log an edge
// writes to, so that whoever reads the broker can be loaded alone. There is no disk behind it: what the broker does not take
// has failed, and nothing is sent again.

import type { Judge } from '../catalogue/judge.ts';
import type { Origin } from '../catalogue/origin.ts';
import { type Verdict, verdictBy } from '../load/answers.ts';
import type { Bodies, Body } from '../load/bodies.ts';
import type { Books, Lanes } from '../load/lanes.ts';
import type { Schedule } from '../load/schedule.ts';
import type { Envelope, Log, Outcome } from '../ports/log.ts';

export interface BrokerLanesOptions {
  readonly log: Log;
  readonly judge: Judge;
  /** Of the events of a body, as JSON: one, or an array. */
  readonly bodies: Bodies;
  /** Requests under way at most; a request is what is handed to the log at once. */
  readonly connections: number;
  /** Null: as fast as outcomes come. */
  readonly schedule: Schedule | null;
}

/** In the place of an HTTP status. */
export const acknowledged = 'acknowledged';

export function brokerLanes(options: BrokerLanesOptions, { tallies, acked }: Books): Lanes {
  const { log, judge, bodies, connections, schedule } = options;
  const ack = (serial: number): void => acked.add(serial);
  let [startedMs, endMs, request, isOver, underWay] = [0, 0, 0, true, 0];

  function pump(): void {
    while (!isOver && underWay < connections) {
      const now = performance.now() - startedMs;
      const due = schedule === null ? now : schedule.dueAtMs(request);
      if (due > now || (schedule === null && now >= endMs)) return;
      request++;
      underWay++;
      void send(bodies.next(), due, now);
    }
  }

  async function send({ bytes, serials }: Body, dueMs: number, sentMs: number): Promise<void> {
    const judged = eventsOf(bytes).map(event => judge(event, originAt(Date.now())));
    const envelopes = judged.flatMap(verdict => (verdict.ok ? verdict.envelope : []));
    const length = envelopes.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
    for (const tally of tallies) tally.sent(serials.length, length, sentMs - dueMs);
    const outcomes = envelopes.length === 0 ? [] : await log.publish(envelopes);
    underWay--;
    const answer = {
      dueMs,
      sentMs,
      answeredMs: performance.now() - startedMs,
      name: nameOf(envelopes, outcomes),
      retryAfter: false,
      verdict: verdictOf(judged, outcomes, serials, ack),
    };
    for (const tally of tallies) tally.answered(answer);
    pump();
  }

  return {
    isReady: true, // the topics are there
    get underWay() {
      return underWay;
    },
    refusals: 0,
    refusal: '',
    edges: () => [],
    begin(atMs, lengthMs) {
      [startedMs, endMs, isOver] = [atMs, lengthMs, false];
    },
    pump,
    end(ms) {
      isOver = true;
      let due = request;
      if (schedule !== null) while (schedule.dueAtMs(due) < ms) due++;
      return due - request;
    },
    close() {
      isOver = true;
    },
  };
}

function eventsOf(bytes: Body['bytes']): readonly unknown[] {
  const read: unknown = JSON.parse(String(bytes));
  return Array.isArray(read) ? read : [read];
}

/** What an edge would know of a request; `source` tells its rows from those of senders. */
const originAt = (receivedAtMs: number): Origin => ({
  receivedAtMs,
  source: 'ugc load',
  ip: '',
  userAgent: '',
  pathType: null,
  sentAt: undefined,
});

function nameOf(envelopes: readonly Envelope[], outcomes: readonly Outcome[]): string {
  if (envelopes.length === 0) return 'not sent: no event of it fits';
  const failed = outcomes.find(outcome => !outcome.ok);
  return failed === undefined || failed.ok ? acknowledged : failed.error.code;
}

function verdictOf(
  judged: readonly ReturnType<Judge>[],
  outcomes: readonly Outcome[],
  serials: readonly number[],
  ack: (serial: number) => void,
): Verdict {
  let next = 0;
  const words = judged.map(({ ok }) => {
    if (!ok) return 'rejected';
    return outcomes[next++]?.ok ? 'accepted' : 'failed';
  });
  return verdictBy(serials, at => words[at] ?? 'failed', ack);
}
