// The connections of a run and what is under way on each: the next request that is due goes to the one that is free longest.

import { nameOf, verdictOf } from './answers.ts';
import type { Bodies, BodyShape } from './bodies.ts';
import { connection, type Target } from './connection.ts';
import type { Serials } from './run-ids.ts';
import type { Schedule } from './schedule.ts';
import { type Answer, type Tally, type Totals, tally } from './tally.ts';

/** One of several that are loaded; of a single one the run's own counts are those. */
export interface Edge {
  readonly url: URL;
  /** Null of a single one. */
  readonly totals: Totals | null;
  readonly refusals: number;
  readonly refusal: string;
}

export interface Lanes {
  /** Whether one may send. */
  readonly isReady: boolean;
  readonly underWay: number;
  /** Failures to open a connection, and the last one in words. */
  readonly refusals: number;
  readonly refusal: string;
  edges(): readonly Edge[];
  /** Times are counted from then, performance.now(); without a schedule nothing is sent after `endMs` of it. */
  begin(startedMs: number, endMs: number): void;
  /** Sends what is due, as far as connections are free. */
  pump(): void;
  /** Sends no more; how many requests were due by then and are not sent. */
  end(ms: number): number;
  close(): void;
}

export interface Books {
  readonly tallies: readonly Tally[];
  readonly acked: Serials;
}

export interface LanesOptions {
  readonly urls: readonly URL[];
  /** PEM, or empty. */
  readonly ca: string;
  readonly key: string;
  readonly shape: BodyShape;
  readonly gzip: boolean;
  readonly connections: number;
  readonly bodies: Bodies;
  /** Null: as fast as answers come. */
  readonly schedule: Schedule | null;
}

/** By HTTP, into one edge or several. */
export function openLanes(options: LanesOptions, { tallies, acked }: Books, signal: AbortSignal): Lanes {
  const { bodies, schedule, urls } = options;
  const free = new Set<Lane>();
  const lanes: Lane[] = [];
  const ack = (serial: number): void => acked.add(serial);
  let [startedMs, endMs, request, isOver] = [0, 0, 0, true];
  const edges = urls.map(url => ({ url, tally: urls.length > 1 ? tally() : null, refusals: 0, refusal: '' }));
  let [underWay, refusals, refusal] = [0, 0, ''];

  function pump(): void {
    if (isOver) return;
    for (const lane of free) {
      const now = performance.now() - startedMs;
      const due = schedule === null ? now : schedule.dueAtMs(request);
      if (due > now || (schedule === null && now >= endMs)) return; // a schedule ends by itself
      request++;
      free.delete(lane);
      lane.send(due, now);
    }
  }

  function open(edge: (typeof edges)[number]): Lane {
    const head = headOf(edge.url, options);
    const counts = edge.tally === null ? tallies : [...tallies, edge.tally];
    let [dueMs, sentMs] = [0, 0];
    let sent: readonly number[] = [];
    const events = {
      ready: () => {
        free.add(lane);
        pump();
      },
      lost: () => void free.delete(lane),
      refused: (why: string) => {
        refusals++;
        refusal = why;
        edge.refusals++;
        edge.refusal = why;
      },
      answered: (answer: Parameters<typeof verdictOf>[0]) => {
        underWay--;
        const told: Answer = {
          dueMs,
          sentMs,
          answeredMs: performance.now() - startedMs,
          name: nameOf(answer),
          retryAfter: answer.retryAfter,
          verdict: verdictOf(answer, sent, ack),
        };
        for (const one of counts) one.answered(told);
      },
    };
    const line = connection(targetOf(edge.url, options.ca), events, signal);
    const lane: Lane = {
      send(due, now) {
        const body = bodies.next();
        [dueMs, sentMs, sent] = [due, now, body.serials];
        underWay++;
        const bytes = line.send(head, body.bytes);
        for (const one of counts) one.sent(sent.length, bytes, now - due);
      },
      close: line.close,
    };
    return lane;
  }

  for (let at = 0; at < options.connections; at++) lanes.push(open(edges[at % edges.length]!));
  return {
    get isReady() {
      return free.size > 0;
    },
    get underWay() {
      return underWay;
    },
    get refusals() {
      return refusals;
    },
    get refusal() {
      return refusal;
    },
    edges: () => edges.map(({ tally: counts, ...edge }) => ({ ...edge, totals: counts?.totals() ?? null })),
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
      for (const lane of lanes) lane.close();
    },
  };
}

interface Lane {
  send(dueMs: number, nowMs: number): void;
  close(): void;
}

function targetOf(url: URL, ca: string): Target {
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    tls: isTls && { serverName: url.hostname, ...(ca !== '' && { ca }) },
  };
}

const contentTypes = {
  single: 'application/json',
  batch: 'application/json',
  ndjson: 'application/x-ndjson',
  beacon: 'text/plain;charset=UTF-8',
  segment: 'application/json',
};

/** All but the length of the body. */
function headOf(url: URL, { shape, gzip, key }: LanesOptions): string {
  const base = url.pathname.replace(/\/$/, '');
  const path = base + (shape === 'segment' ? '/v1/batch' : '/v1/events');
  const who =
    key === ''
      ? ''
      : shape === 'segment'
        ? `authorization: Basic ${btoa(`${key}:`)}\r\n`
        : `authorization: Bearer ${key}\r\n`;
  return `POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: ${contentTypes[shape]}\r\n${gzip ? 'content-encoding: gzip\r\n' : ''}${who}`;
}
