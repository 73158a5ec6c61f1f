// Events answered once the server has confirmed them, as fast as it goes: ugc, and the vendor's clients behind the smallest
// HTTP server. A peer gets the same events as lines: it judges nothing and stamps nothing. All run at once and get short
// bursts in turns: a server that has just begun, or a machine that is slow for a while, is slow for all of them.

import { eventually, startUgc, temporaryFolder, type Ugc } from '../../test/support/ugc.ts';
import { type ClosedLoadResult, closedLoad, requestBytes } from '../closed-load.ts';
import { filledTopics } from '../fill.ts';
import { bodiesOf } from '../load.ts';
import { cpuUs, percentile, residentMb } from '../process.ts';
import type { Row } from '../report.ts';
import type { BenchBroker, PeerCommand } from './broker.ts';
import { startPeer } from './java.ts';

interface Contender {
  readonly what: string;
  readonly url: string;
  readonly pid: number;
  readonly path: string;
  /** What it takes for several events. */
  readonly form: 'array' | 'lines';
  /** Events answered from the disk so far. */
  onDisk(): Promise<number>;
  stop(): Promise<unknown>;
}

interface Burst extends ClosedLoadResult {
  readonly us: number;
  readonly serverUs: number;
  readonly onDisk: number;
}

const connections = 64;
/** A peer waits for its server however long it takes; so does ours, here. */
const ackBudgetMs = 9_000;
const rounds = 3;
/** A virtual machine compiles what is hot; singles come first. */
const warmSeconds = { 1: 3, 100: 1.5 } as const;

/** Rows of ugc first, then of each peer; for one event a POST, and for a hundred. */
export async function publishRows(broker: BenchBroker, seconds: number): Promise<Record<1 | 100, Row[]>> {
  const contenders: Contender[] = [];
  try {
    contenders.push(await ugcOn(broker));
    for (const peer of broker.peers) contenders.push(await peerOn(broker, peer));
    return { 1: await measure(contenders, broker, 1, seconds), 100: await measure(contenders, broker, 100, seconds) };
  } finally {
    for (const { stop } of contenders) await stop();
  }
}

async function ugcOn(broker: BenchBroker): Promise<Contender> {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    env: broker.env(`bench-${crypto.randomUUID()}.{event_type}`, 'bench'),
    flags: ['--role=ingest', '--request-log=false', `--ack-budget-ms=${ackBudgetMs}`],
  });
  await eventually(() => isStoredBy(broker.stored, ugc), { what: `an answer from ${broker.title}` });
  return {
    what: `${broker.title}: ugc`,
    url: ugc.url,
    pid: ugc.pid,
    path: '/v1/events',
    form: 'array',
    onDisk: () => onDisk(ugc),
    stop: () => {
      ugc.kill('SIGKILL');
      return ugc.exited;
    },
  };
}

async function peerOn(broker: BenchBroker, peer: PeerCommand): Promise<Contender> {
  const topics = filledTopics(`peer-${crypto.randomUUID()}.{event_type}`);
  await broker.ensureTopics(topics);
  const { url, pid, stop } = await startPeer(peer, 'produce', topics);
  return {
    what: `${broker.title}: ${peer.title}`,
    url,
    pid,
    path: '/',
    form: 'lines',
    onDisk: async () => 0,
    stop,
  };
}

async function measure(
  contenders: readonly Contender[],
  broker: BenchBroker,
  size: 1 | 100,
  seconds: number,
): Promise<Row[]> {
  const bursts = new Map<Contender, Burst[]>(contenders.map(contender => [contender, []]));
  const requests = new Map(contenders.map(contender => [contender, requestsOf(size, contender)]));
  const load = (contender: Contender, forSeconds: number) =>
    closedLoad({ url: contender.url, connections, seconds: forSeconds, request: requests.get(contender)! });
  for (const contender of contenders) await load(contender, warmSeconds[size]);
  for (let round = 0; round < rounds; round++)
    for (let at = 0; at < contenders.length; at++) {
      const contender = contenders[(round + at) % contenders.length]!;
      const before = await stateOf(contender, broker);
      const result = await load(contender, seconds / rounds);
      await Bun.sleep(30); // what follows an answer is its cost, too
      const after = await stateOf(contender, broker);
      bursts.get(contender)!.push({
        ...result,
        us: after.us - before.us,
        serverUs: after.serverUs - before.serverUs,
        onDisk: after.onDisk - before.onDisk,
      });
    }
  return contenders.map(contender => rowOf(contender, bursts.get(contender)!, size));
}

const stateOf = async ({ pid, onDisk }: Contender, broker: BenchBroker) => ({
  onDisk: await onDisk(),
  us: cpuUs(pid),
  serverUs: broker.us(),
});

function rowOf({ what, pid }: Contender, bursts: readonly Burst[], size: number): Row {
  const sum = (of: (burst: Burst) => number): number => bursts.reduce((total, burst) => total + of(burst), 0);
  const median = (of: (burst: Burst) => number): number =>
    percentile(
      bursts.map(of).toSorted((a, b) => a - b),
      0.5,
    );
  const events = sum(({ requests }) => requests) * size;
  const disk = sum(({ onDisk }) => onDisk);
  const bad = sum(burst => burst.bad);
  return {
    what,
    'events/s': Math.round(median(({ requestsPerS }) => requestsPerS) * size),
    'core-µs/event': sum(({ us }) => us) / events,
    'server core-µs/event': sum(({ serverUs }) => serverUs) / events,
    'p50 ms': median(({ p50Ms }) => p50Ms),
    'p99 ms': median(({ p99Ms }) => p99Ms),
    note: `${((100 * (events - disk)) / events).toFixed(1)} % stored by the server${bad === 0 ? '' : `, ${bad} bad`}; RSS ${residentMb(pid)} MB`,
  };
}

/** The next request of so many events. */
function requestsOf(size: number, { path, form }: Contender): () => Buffer {
  const bodies = bodiesOf(size, size === 1 ? 500 : 20);
  const asLines = (body: string): string =>
    (JSON.parse(body) as readonly unknown[]).map(event => JSON.stringify(event)).join('\n');
  const requests = bodies.map(body =>
    requestBytes(
      'POST',
      path,
      { 'content-type': 'application/json' },
      size > 1 && form === 'lines' ? asLines(body) : body,
    ),
  );
  let next = 0;
  return () => requests[next++ % requests.length]!;
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
