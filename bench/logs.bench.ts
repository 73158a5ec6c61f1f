// Log records of OpenTelemetry in batches of 512, as JSON and as protobuf, beside the same records as events of ours and film
// events, one a line: role ingest, 16 connections, answered after the SQLite commit.

import { isoOf } from '../src/process/clock.ts';
import { logsRequest, type Record_ } from '../test/support/otlp-logs.ts';
import { requestBytes } from '../test/support/otlp-protobuf.ts';
import { startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { bodiesOf } from './load.ts';
import { cpuUs, residentMb } from './process.ts';
import type { Row } from './report.ts';

const size = 512;
const bodiesCount = 64;
const connections = 16;

const resource = [
  ['service.name', 'checkout'],
  ['service.instance.id', 'checkout-7d9f5'],
  ['host.name', 'node-17'],
  ['deployment.environment.name', 'production'],
].map(([key, text]) => ({ key: key!, value: { stringValue: text } }));
const scope = { name: 'com.example.checkout.Cache', version: '2.1.0' };

function recordAt(n: number, nowMs: number): Record_ {
  const at = BigInt(nowMs) * 1_000_000n + BigInt(n);
  return {
    timeUnixNano: String(at),
    observedTimeUnixNano: String(at + 40_000n),
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: `basket ${n} was read from the cache in ${n % 97} ms` },
    traceId: n.toString(16).padStart(32, 'a'),
    spanId: n.toString(16).padStart(16, 'b'),
    attributes: [
      { key: 'cache.ms', value: { intValue: String(n % 97) } },
      { key: 'cache.hit', value: { boolValue: n % 3 > 0 } },
      { key: 'thread.name', value: { stringValue: `worker-${n % 8}` } },
      { key: 'code.function.name', value: { stringValue: 'com.example.checkout.Cache.read' } },
    ],
  };
}

/** The same, as who knows our types would send it. */
const eventAt = (n: number, nowMs: number) => ({
  event_type: 'log',
  event_id: Bun.randomUUIDv7(),
  timestamp: isoOf(nowMs),
  time_unix_nano: String(BigInt(nowMs) * 1_000_000n + BigInt(n)),
  observed_at: isoOf(nowMs),
  severity_number: 9,
  severity_text: 'INFO',
  body: `basket ${n} was read from the cache in ${n % 97} ms`,
  trace_id: n.toString(16).padStart(32, 'a'),
  span_id: n.toString(16).padStart(16, 'b'),
  service_name: 'checkout',
  service_instance_id: 'checkout-7d9f5',
  scope_name: scope.name,
  scope_version: scope.version,
  flags: 0,
  dropped_attributes_count: 0,
  attributes: {
    'cache.ms': n % 97,
    'cache.hit': n % 3 > 0,
    'thread.name': `worker-${n % 8}`,
    'code.function.name': 'com.example.checkout.Cache.read',
  },
  resource_attributes: Object.fromEntries(resource.map(({ key, value }) => [key, value.stringValue])),
});

interface Way {
  readonly what: string;
  readonly path: string;
  readonly type: string;
  readonly bodies: readonly (string | Uint8Array<ArrayBuffer>)[];
}

function waysAt(nowMs: number): readonly Way[] {
  const batches = Array.from({ length: bodiesCount }, (_, batch) =>
    Array.from({ length: size }, (__, n) => batch * size + n),
  );
  const requests = batches.map(batch =>
    logsRequest(
      batch.map(n => recordAt(n, nowMs)),
      { resource, scope },
    ),
  );
  const lines = (events: readonly unknown[]): string => events.map(event => `${JSON.stringify(event)}\n`).join('');
  const type = 'application/x-ndjson';
  return [
    {
      what: 'film events, one a line',
      path: '/v1/events',
      type,
      bodies: bodiesOf(size, bodiesCount).map(body => lines(JSON.parse(body))),
    },
    {
      what: 'log events, one a line',
      path: '/v1/events',
      type,
      bodies: batches.map(batch => lines(batch.map(n => eventAt(n, nowMs)))),
    },
    {
      what: 'OTLP, JSON',
      path: '/v1/logs',
      type: 'application/json',
      bodies: requests.map(request => JSON.stringify(request)),
    },
    {
      what: 'OTLP, protobuf',
      path: '/v1/logs',
      type: 'application/x-protobuf',
      bodies: requests.map(requestBytes),
    },
  ];
}

export async function logsBench(seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const way of waysAt(Date.now())) {
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', '--request-log=false'] });
    const restMb = residentMb(ugc.pid);
    await sendFor(2, ugc.url, way);
    const before = cpuUs(ugc.pid);
    const { requests, refused } = await sendFor(seconds, ugc.url, way);
    const us = cpuUs(ugc.pid) - before;
    rows.push({
      what: `${size} ${way.what}`,
      'events/s': Math.round((requests * size) / seconds),
      'core-µs/event': us / (requests * size),
      'bytes/event': Math.round(way.bodies.reduce((sum, { length }) => sum + length, 0) / bodiesCount / size),
      note: `${connections} connections, ${refused} of ${requests} requests refused, RSS ${restMb} MB before, ${residentMb(ugc.pid)} MB after`,
    });
    ugc.kill('SIGKILL'); // what is left in the buffer is not measured here
    await ugc.exited;
  }
  return rows;
}

async function sendFor(seconds: number, url: string, { path, type, bodies }: Way) {
  const untilMs = performance.now() + seconds * 1_000;
  let [requests, refused] = [0, 0];
  const sending = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const body = bodies[requests++ % bodies.length]!;
      const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body });
      await response.arrayBuffer();
      if (response.status === 503)
        refused++; // a saturated server does
      else if (response.status !== 200) throw new Error(`${path} answers ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, sending));
  return { requests, refused };
}
