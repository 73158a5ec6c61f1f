// What users of ugc would pick instead, beside us in the same run: the same bodies, broker, cores and load generator.
// UGC_BENCH_PEERS names a folder with a targets.txt, a line each: name|start script|path|events a POST|form|environment.
// `start PORT KAFKA TOPIC` starts one, answers only after Kafka's ack, and prints the file that holds its pid; scripts are
// named from that folder, or from the one above it. Only lines of form `array` are run; UGC_BENCH_PEER_NAMES picks some.

import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ensureTopics } from '../src/adapters/kafka/connect/ensure-topics.ts';
import { freePorts } from '../test/support/free-ports.ts';
import type { TestKafka } from '../test/support/kafka.ts';
import { bodiesOf, load } from './load.ts';
import { cpuUs } from './process.ts';
import { tree, treeUs } from './process-tree.ts';
import type { Row } from './report.ts';

interface Peer {
  readonly name: string;
  readonly script: string;
  readonly path: string;
  readonly size: number;
  readonly env: Readonly<Record<string, string>>;
}

export async function peersBench(kafka: TestKafka, seconds: number): Promise<Row[]> {
  const folder = process.env.UGC_BENCH_PEERS;
  if (!folder) return [];
  const topic = 'peers';
  await ensureTopics({ brokers: kafka.brokers, clientId: 'bench' }, [topic], { partitions: 6, replicas: 1 });
  const names = process.env.UGC_BENCH_PEER_NAMES?.split(',');
  const rows: Row[] = [];
  for (const peer of peersIn(folder))
    if (names === undefined || names.includes(peer.name)) rows.push(await measured(peer, kafka, topic, seconds));
  return rows;
}

function peersIn(folder: string): Peer[] {
  const list = [join(folder, 'targets.txt'), join(folder, 'bench', 'targets.txt')].find(existsSync);
  if (list === undefined) throw new Error(`${folder} (UGC_BENCH_PEERS) has no targets.txt`);
  return readFileSync(list, 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split('|'))
    .filter(([, , , , form]) => form === 'array')
    .map(([name, script, path, size, , env = '']) => ({
      name: name!,
      script: isAbsolute(script!) ? script! : join(folder, script!),
      path: path!,
      size: Number(size),
      env: Object.fromEntries(
        env.split(' ').flatMap(pair => (pair === '' ? [] : [pair.split('=') as [string, string]])),
      ),
    }));
}

async function measured(peer: Peer, kafka: TestKafka, topic: string, seconds: number): Promise<Row> {
  const [port] = await freePorts(1);
  const started = Bun.spawnSync(['bash', peer.script, String(port), kafka.brokers[0]!, topic], {
    env: { ...process.env, ...peer.env },
    stderr: 'inherit',
  });
  const pidFile = started.stdout.toString().trim().split('\n').at(-1) ?? '';
  const what = `${peer.name}, POST ${peer.size === 1 ? 'one event' : `${peer.size} events`}`;
  if (started.exitCode !== 0 || !existsSync(pidFile)) return { what, note: 'did not start' };
  const pid = Number(readFileSync(pidFile, 'utf8'));
  try {
    const options = { url: `http://127.0.0.1:${port}`, path: peer.path, connections: 64 };
    const bodies = bodiesOf(peer.size, peer.size === 1 ? 500 : 20);
    await load({ ...options, bodies, seconds: 2 });
    const broker = kafka.pid();
    const before = { us: treeUs(pid), brokerUs: broker === null ? Number.NaN : cpuUs(broker) };
    const result = await load({ ...options, bodies, seconds });
    const events = (result.requests - result.bad) * peer.size;
    return {
      what,
      'events/s': Math.round((result.requestsPerS * events) / result.requests),
      'core-µs/event': (treeUs(pid) - before.us) / events,
      'broker core-µs/event': ((broker === null ? Number.NaN : cpuUs(broker)) - before.brokerUs) / events,
      'p50 ms': result.p50Ms,
      'p99 ms': result.p99Ms,
      note: `${result.tool} -c64, ${result.bad} bad`,
    };
  } finally {
    for (const each of tree(pid)) process.kill(each, 'SIGTERM');
    while (existsSync(`/proc/${pid}`)) await Bun.sleep(20);
  }
}
