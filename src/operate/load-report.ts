// What `ugc load` says in the end: for people, and the same as one JSON object.

import type { Values } from '../config/kinds.ts';
import type { RunResult } from '../load/run.ts';
import { runIds } from '../load/run-ids.ts';
import { lateMs, type Times } from '../load/tally.ts';
import type { loadFlags } from './load-flags.ts';
import type { Verified } from './load-verify.ts';
import { count, countOf, plain, size, table } from './output.ts';

export interface LoadReport {
  readonly seed: number;
  /** The first ten bytes of its events' ids, as hex. */
  readonly run: string;
  readonly flags: Values<typeof loadFlags>;
  readonly batch: number;
  readonly result: RunResult;
  readonly verified: Verified | null;
  readonly endedEarly: boolean;
}

/** Times in milliseconds, `*_per_s` in events. */
export function reportJson({ seed, run, flags, batch, result, verified, endedEarly }: LoadReport) {
  const { totals, seconds, perSecond, perLevel, cpuUs } = result;
  const { accepted, refused, dropped, failed, wronglyRefused, wronglyTaken } = totals;
  const spans = (of: typeof perSecond) =>
    of.map(span => ({
      at_s: span.at,
      seconds: span.seconds,
      asked_per_s: span.askedPerS,
      sent_per_s: span.sentPerS,
      accepted_per_s: span.acceptedPerS,
      latency_ms: span.due,
    }));
  return {
    seed,
    run,
    into: flags.into,
    shape: flags.shape,
    batch,
    connections: flags.connections,
    seconds,
    ended_early: endedEarly,
    requests: totals.requests,
    events: totals.events,
    bytes: totals.bytes,
    events_per_s: totals.events / seconds,
    accepted_per_s: accepted / seconds,
    outcomes: { accepted, refused, dropped, failed, wrongly_refused: wronglyRefused, wrongly_taken: wronglyTaken },
    answers: totals.answers,
    retry_after: totals.retryAfter,
    late_requests: totals.late,
    unsent_requests: result.unsent,
    unanswered_requests: result.unanswered,
    connections_refused: result.refusals,
    latency_ms: { from_due: totals.due, from_sent: totals.sent },
    percentiles_ms: { from_due: result.curves.due, from_sent: result.curves.sent },
    edges: result.edges.map(({ url, totals: of, refusals, refusal }) => ({
      url: url.origin,
      requests: (of ?? totals).requests,
      accepted: (of ?? totals).accepted,
      failed: (of ?? totals).failed,
      answers: (of ?? totals).answers,
      connections_refused: refusals,
      reason: refusal === '' ? null : refusal,
      latency_ms: (of ?? totals).due,
    })),
    generator_core_us_per_event: totals.events === 0 ? null : cpuUs / totals.events,
    levels: spans(perLevel),
    per_second: spans(perSecond),
    verified:
      verified === null
        ? null
        : {
            accepted: verified.accepted,
            rows: verified.rows,
            missing: verified.missing,
            duplicate: verified.duplicate,
            unacknowledged: verified.unacknowledged,
            seconds: verified.seconds,
          },
  };
}

/** By key and by name. */
export const shownTimes = [
  ['p50', 'p50'],
  ['p75', 'p75'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p999', 'p99.9'],
  ['max', 'max'],
] as const;

const ms = (value: number): string => (value >= 100 ? String(Math.round(value)) : value.toFixed(1));

const perS = (events: number, seconds: number): string => `${count(Math.round(events / seconds))}/s`;

export function reportText(report: LoadReport): string {
  const { flags, batch, result, endedEarly } = report;
  const { totals, seconds, perLevel, cpuUs } = result;
  const of = batch === 1 ? 'one event each' : `${count(batch)} events each`;
  const parts = [
    `${endedEarly ? 'Ended early. ' : ''}${seconds.toFixed(1)} s, ${countOf(totals.requests, 'request')} of ${of} (${flags.shape}) ${flags.into === 'broker' ? `into the broker, ${count(flags.connections)} under way at most` : `over ${countOf(flags.connections, 'connection')}`}, seed ${report.seed}
sent ${perS(totals.events, seconds)}, accepted ${perS(totals.accepted, seconds)}, ${size(Math.round(totals.bytes / seconds))}/s of bodies\n`,
    times(totals.due, totals.sent),
    answersText(report),
  ];
  if (result.edges.length > 1) parts.push(edgesText(result));
  if (perLevel.length > 1)
    parts.push(
      table(
        ['from', 'asked/s', 'sent/s', 'accepted/s', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
        perLevel.map(({ at, askedPerS, sentPerS, acceptedPerS, due }) => [
          `${at.toFixed(0)} s`,
          ...[askedPerS ?? 0, sentPerS, acceptedPerS].map(Math.round),
          ...[due.p50, due.p95, due.p99, due.max].map(ms),
        ]),
      ),
    );
  if (totals.events > 0) parts.push(`The generator took ${(cpuUs / totals.events).toFixed(1)} core-µs an event.\n`);
  if (report.verified !== null) parts.push(verifiedText(report.verified, report.run));
  return parts.join('\n');
}

const times = (due: Times, sent: Times): string =>
  table(
    ['ms', ...shownTimes.map(([, name]) => name)],
    [
      ['from when a request was due', ...shownTimes.map(([key]) => ms(due[key]))],
      ['from when it was sent', ...shownTimes.map(([key]) => ms(sent[key]))],
    ],
  );

type Counted = [what: string, number: number][];

export const outcomesOf = ({ result: { totals }, flags }: LoadReport): Counted => [
  ['accepted', totals.accepted],
  [flags.badShare > 0 ? 'refused, of which most were broken on purpose' : 'refused', totals.refused],
  ['refused, and were good', totals.wronglyRefused],
  ['accepted, and were broken', totals.wronglyTaken],
  ['dropped by a rule of the server', totals.dropped],
  ['not stored, or unknown', totals.failed],
];

export const requestsOf = ({ result: { totals, unsent, unanswered, refusals, refusal } }: LoadReport): Counted => [
  ...Object.entries(totals.answers).map(([name, times]): [string, number] => [
    name === 'cut' ? 'the connection ended before the answer' : name,
    times,
  ]),
  ['said when to come again (Retry-After)', totals.retryAfter],
  [`sent more than ${lateMs} ms late: connections busy, or this machine`, totals.late],
  ['due, and not sent by the end', unsent],
  ['sent, and not answered by the end', unanswered],
  [`connections that were not opened: ${refusal}`, refusals],
];

function answersText(report: LoadReport): string {
  const some = (rows: Counted) => rows.filter(([, number]) => number > 0);
  return `${table(['events', ''], some(outcomesOf(report)))}\n${table(['requests', ''], some(requestsOf(report)))}`;
}

/** Several instances beside each other, and why one of them took no connection. */
function edgesText({ edges }: RunResult): string {
  const rows = edges.flatMap(({ url, totals, refusals }) =>
    totals === null
      ? []
      : [
          [
            url.origin,
            totals.requests,
            totals.accepted,
            totals.failed,
            refusals,
            ...[totals.due.p50, totals.due.p99].map(value => (totals.requests === 0 ? '–' : ms(value))),
          ],
        ],
  );
  const reasons = edges.flatMap(({ url, refusal }) => (refusal === '' ? [] : [`  ${url.origin}: ${plain(refusal)}\n`]));
  const head = ['to', 'requests', 'accepted', 'failed', 'not connected', 'p50 ms', 'p99 ms'];
  return `${table(head, rows)}${reasons.join('')}`;
}

function verifiedText({ missingSome, duplicateSome, ...verified }: Verified, run: string): string {
  const ids = runIds(Number.parseInt(run.slice(0, 12), 16), saltOf(run));
  const named = (serials: readonly number[]) => serials.map(serial => `  ugc trace ${ids.idOf(serial)}\n`).join('');
  return `${verdictText(verified)}\n${named(missingSome)}${named(duplicateSome)}`;
}

export function verdictText(verified: Omit<Verified, 'missingSome' | 'duplicateSome'>): string {
  const { accepted, rows, missing, duplicate, unacknowledged, seconds } = verified;
  const lost =
    unacknowledged === 0 ? '' : `, ${countOf(unacknowledged, 'row')} of events whose answer was lost or an error`;
  return `Verified in ${seconds.toFixed(1)} s: ${countOf(accepted, 'event')} accepted, ${countOf(rows, 'row')}, ${count(missing)} missing, ${count(duplicate)} duplicate${lost}.`;
}

const saltOf = (run: string): number =>
  (Number.parseInt(run.slice(12, 16), 16) & 0xfff) | ((Number.parseInt(run.slice(16, 20), 16) & 0x3fff) << 12);
