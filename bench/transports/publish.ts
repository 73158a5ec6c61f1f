// Events answered once the server has confirmed them, as fast as it goes: ugc, and the vendor's client behind the smallest
// HTTP server. The peer gets the same events as lines: it judges nothing and stamps nothing.

import { metric } from '../../test/support/oracle.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../../test/support/ugc.ts';
import { type ClosedLoadResult, closedLoad, requestBytes } from '../closed-load.ts';
import { filledTopics } from '../fill.ts';
import { bodiesOf } from '../load.ts';
import { cpuUs, residentMb } from '../process.ts';
import type { Row } from '../report.ts';
import type { BenchBroker, PeerCommand } from './broker.ts';
import { startPeer } from './java.ts';

export interface Published {
  readonly size: 1 | 100;
  readonly row: Row;
}

const connections = 64;
const sizes = [1, 100] as const;

/** The bodies of so many events a POST, as requests. */
function requestsOf(size: number, path: string, isLines: boolean): () => Buffer {
  const bodies = bodiesOf(size, size === 1 ? 500 : 20);
  const asLines = (body: string): string =>
    (JSON.parse(body) as readonly unknown[]).map(event => JSON.stringify(event)).join('\n');
  const requests = bodies.map(body =>
    requestBytes('POST', path, { 'content-type': 'application/json' }, isLines && size > 1 ? asLines(body) : body),
  );
  let next = 0;
  return () => requests[next++ % requests.length]!;
}

export async function publishByUgc(broker: BenchBroker, seconds: number): Promise<Published[]> {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    env: broker.env(`bench-${crypto.randomUUID()}.{event_type}`, 'bench'),
    flags: ['--role=ingest', '--request-log=false'],
  });
  try {
    await eventually(() => isStoredBy(broker.stored, ugc), { what: `an answer from ${broker.title}` });
    const published: Published[] = [];
    for (const size of sizes) {
      const measured = await measure({
        broker,
        url: ugc.url,
        pid: ugc.pid,
        size,
        seconds,
        request: requestsOf(size, '/v1/events', false),
        warmSeconds: 2,
        onDisk: () => onDisk(ugc),
      });
      published.push({ size, row: { what: `${broker.title}: ugc`, ...measured } });
      await eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) === 0, { what: 'an empty buffer' });
    }
    return published;
  } finally {
    ugc.kill('SIGKILL');
    await ugc.exited;
  }
}

export async function publishByPeer(broker: BenchBroker, peer: PeerCommand, seconds: number): Promise<Published[]> {
  const topics = filledTopics(`peer-${crypto.randomUUID()}.{event_type}`);
  await broker.ensureTopics(topics);
  const { url, pid, stop } = await startPeer(peer, 'produce', topics);
  try {
    const published: Published[] = [];
    for (const size of sizes) {
      const request = requestsOf(size, '/', true);
      // A virtual machine compiles what is hot.
      const measured = await measure({
        broker,
        url,
        pid,
        size,
        seconds,
        request,
        warmSeconds: 4,
        onDisk: async () => 0,
      });
      published.push({ size, row: { what: `${broker.title}: ${peer.title}`, ...measured } });
    }
    return published;
  } finally {
    await stop();
  }
}

interface Measuring {
  readonly broker: BenchBroker;
  readonly url: string;
  readonly pid: number;
  readonly size: number;
  readonly seconds: number;
  readonly request: () => Buffer;
  readonly warmSeconds: number;
  /** Events answered from the disk so far. */
  readonly onDisk: () => Promise<number>;
}

async function measure({ broker, url, pid, size, seconds, request, warmSeconds, onDisk }: Measuring) {
  const load = (forSeconds: number): Promise<ClosedLoadResult> =>
    closedLoad({ url, connections, seconds: forSeconds, request });
  await load(warmSeconds);
  const before = { us: cpuUs(pid), server: broker.us(), disk: await onDisk() };
  const { requests, requestsPerS, p50Ms, p99Ms, bad } = await load(seconds);
  const events = requests * size;
  const us = (cpuUs(pid) - before.us) / events;
  const server = (broker.us() - before.server) / events;
  const disk = (await onDisk()) - before.disk;
  return {
    'events/s': Math.round(requestsPerS * size),
    'core-µs/event': us,
    'server core-µs/event': server,
    'p50 ms': p50Ms,
    'p99 ms': p99Ms,
    note: `${((100 * (events - disk)) / events).toFixed(1)} % stored by the server${bad === 0 ? '' : `, ${bad} bad`}; RSS ${residentMb(pid)} MB`,
  };
}

async function onDisk({ url }: Ugc): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = text.matchAll(/^ugc_events_stored_total\{[^}]*stored="disk"[^}]*\} (\d+)$/gm);
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function isStoredBy(name: string, ugc: Ugc): Promise<boolean> {
  const [body] = bodiesOf(1, 1);
  return (await (await ugc.post(body)).text()).includes(`"stored":"${name}"`);
}
