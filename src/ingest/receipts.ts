// `GET /v1/receipts/{event_id}`: what became of one event, as far as it can be found out from here: a row, a dead
// letter, a place in the disk buffer, or what this instance has lately said of it. Told are types, times, places and
// reasons, nothing that a sender has written: every client that knows an id may ask.
//
// Every client may ask for any id, so asking is bounded: while one look is under way the next ids gather, and one look
// answers all of them.

import { readId } from '../catalogue/rejection.ts';
import { type ErrorCode, PipelineError } from '../errors.ts';
import { type Answer, json, problem } from '../http/answer.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import type { EventTables, FoundEvent } from '../ports/event-tables.ts';
import { isoOf } from '../process/clock.ts';
import type { Recent } from './recent.ts';

export interface ReceiptsOptions {
  readonly tables: EventTables;
  /** How tables are called: `ugc.click`. */
  readonly database: string;
  readonly buffer: Pick<DiskBuffer, 'find'> | null;
  readonly recent: Recent;
  /** A table that has not answered by then has not been asked. */
  readonly timeoutMs?: number;
}

export type Receipts = (id: string) => Promise<Answer>;

/** Of one look, and of those that wait for theirs. */
const togetherMax = 32;
const waitingMax = 1_000;

type State = 'stored' | 'waiting' | 'dead' | 'rejected' | 'dropped';

interface Finding {
  readonly state: State;
  /** As it is told. */
  readonly told: Readonly<Record<string, unknown>>;
}

interface Looked {
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  /** What could not be asked, in words. */
  readonly unasked: readonly string[];
}

export function receiptsOf(options: ReceiptsOptions): Receipts {
  const { recent, timeoutMs = 3_000 } = options;
  const waiting = new Map<string, PromiseWithResolvers<Looked>>();
  let isLooking = false;

  return async given => {
    const id = readId(given);
    if (id === null) return problem(new PipelineError('bad_request', 'an event_id is a UUID'));
    const lately = recent.find(id).map(findingOfRecent);
    const looked = await lookFor(id);
    if (looked === null) return problem(new PipelineError('lookup_failed', 'too many receipts are asked for at once'));
    return answerOf(id, [...(looked.findings.get(id) ?? []), ...lately], looked.unasked);
  };

  function lookFor(id: string): Promise<Looked> | null {
    const known = waiting.get(id);
    if (known !== undefined) return known.promise;
    if (waiting.size >= waitingMax) return null;
    const asked = Promise.withResolvers<Looked>();
    waiting.set(id, asked);
    void lookOn();
    return asked.promise;
  }

  async function lookOn(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (waiting.size > 0) {
      const asked = [...waiting].slice(0, togetherMax);
      for (const [id] of asked) waiting.delete(id);
      const startedAt = performance.now();
      const looked = await look(asked.map(([id]) => id));
      for (const [, { resolve }] of asked) resolve(looked);
      await Bun.sleep(performance.now() - startedAt); // half of the tables' time at most goes to receipts
    }
    isLooking = false;
  }

  async function look(ids: readonly string[]): Promise<Looked> {
    const findings = new Map<string, Finding[]>(ids.map(id => [id, []]));
    const unasked: string[] = [];
    const signal = AbortSignal.timeout(timeoutMs);
    const [inTables, inBuffer] = await Promise.allSettled([
      options.tables.find(ids, signal),
      options.buffer?.find(ids) ?? { events: [], isWhole: true },
    ]);
    if (inTables.status === 'rejected') unasked.push('clickhouse');
    else for (const event of inTables.value) findings.get(event.id)?.push(findingOfRow(event, options.database));
    if (inBuffer.status === 'rejected' || !inBuffer.value.isWhole) unasked.push('disk');
    for (const { id, type, atMs, setAside } of inBuffer.status === 'fulfilled' ? inBuffer.value.events : [])
      findings
        .get(id)
        ?.push(
          setAside === null
            ? { state: 'waiting', told: { place: 'disk', event_type: type, received_at: isoOf(atMs) } }
            : { state: 'dead', told: { place: 'quarantine', event_type: type, set_aside_at: isoOf(atMs) } },
        );
    return { findings, unasked };
  }
}

function findingOfRow(event: FoundEvent, database: string): Finding {
  if ('receivedAt' in event) {
    const { type, receivedAt, timestamp } = event;
    const told = { event_type: type, table: `${database}.${type}`, received_at: receivedAt, timestamp };
    return { state: 'stored', told: { place: 'clickhouse', ...told } };
  }
  const { topic, reason, failedAt, replayedAt } = event;
  const told = { place: 'dead_letters', topic, reason, failed_at: failedAt, replayed_at: replayedAt };
  return { state: replayedAt === null ? 'dead' : 'waiting', told };
}

function findingOfRecent({ type, outcome, atMs }: ReturnType<Recent['find']>[number]): Finding {
  const told = { place: 'edge', event_type: type, received_at: isoOf(atMs) };
  if (typeof outcome === 'string') return { state: 'waiting', told: { ...told, outcome: 'accepted', stored: outcome } };
  if (outcome.reason === 'dropped') return { state: 'dropped', told: { ...told, outcome: 'dropped' } };
  return { state: 'rejected', told: { ...told, outcome: 'rejected', reason: outcome.reason } };
}

/** What counts, when several are true. */
const order: readonly State[] = ['stored', 'dead', 'waiting', 'rejected', 'dropped'];

function answerOf(id: string, findings: readonly Finding[], unasked: readonly string[]): Answer {
  const state = order.find(name => findings.some(finding => finding.state === name));
  if (state === undefined) return problem(...nothingFound(unasked));
  const whole = unasked.length === 0 ? {} : { unasked };
  return json(200, JSON.stringify({ event_id: id, state, places: findings.map(({ told }) => told), ...whole }));
}

function nothingFound(unasked: readonly string[]): [PipelineError] {
  const code: ErrorCode = unasked.includes('clickhouse') ? 'lookup_failed' : 'not_found';
  const words =
    code === 'not_found'
      ? 'no event of this id was seen: never sent, refused elsewhere or long ago, or still on its way through the log'
      : 'ClickHouse cannot be asked just now, and nothing else here knows of this event';
  return [new PipelineError(code, words)];
}
