// What the pictures show: two edges, one of them with the content service, and an etl with an archive, watched by Prometheus as
// deploy/ has it. Load all the time, and one thing after another goes wrong: Kafka, a pause, garbage, a rush, a rule.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startClickhouseServer } from '../../test/support/clickhouse.ts';
import { askerOf, contentFlags, tokenFor } from '../../test/support/content-client.ts';
import { kafkaClient, startKafka } from '../../test/support/kafka.ts';
import { startPrometheus } from '../../test/support/prometheus.ts';
import { prometheusFolder } from '../../test/support/rule-files.ts';
import { binary, runUgc, startUgc, temporaryFolder, type Ugc } from '../../test/support/ugc.ts';
import { photograph } from './terminal.ts';

export interface Played {
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** By name, what a terminal was sent to show the screen of `ugc top`. */
  readonly screens: Readonly<Record<string, { readonly bytes: string; readonly rows: number }>>;
}

/** What happens at which second. */
type Scene = readonly [at: number, what: string, happen: () => unknown];

const seconds = 570;
const scrapeSeconds = 15; // as deploy/prometheus/prometheus.yaml has it
const admin = { UGC_ADMIN_KEY: tokenFor('operator', 'admin') };

/** Into the folder: the samples, the report of the load and the screens. */
export async function play(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const [kafka, clickhouse] = await Promise.all([startKafka(), startClickhouseServer()]);
  const brokers = `--kafka-brokers=${kafka.brokers}`;
  const folders = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
  const keysPath = `--keys-path=${join(folders[0], 'keys.json')}`;
  const keyOf = async (name: string) =>
    (await runUgc(['keys', 'add', name, '--kind=secret', '--scopes=events:write', keysPath])).stdout.trim();
  const [shop, rusher] = [await keyOf('shop'), await keyOf('rush')];
  const common = [brokers, ...contentFlags, keysPath, '--request-log=false'];
  const rates = ['--rate-limit-address=250', '--rate-limit-burst-seconds=2'];
  const roles = [
    ['--role=ingest,content', ...rates],
    ['--role=ingest', ...rates],
    [
      ...['--role=etl,archive', `--clickhouse-url=${clickhouse.url}`, '--archive-file-seconds=60'],
      `--archive-url=file://${temporaryFolder()}`,
    ],
  ];
  const all = await Promise.all(folders.map((dataDir, at) => startUgc({ dataDir, flags: [...common, ...roles[at]!] })));
  const urls = all.map(({ url }) => url);
  const prometheus = await startPrometheus({
    targets: urls,
    ruleFiles: ['recording.yaml', 'alerts.yaml'].map(file => join(prometheusFolder, file)),
    everySeconds: scrapeSeconds,
    keptIn: join(folder, 'prometheus'),
  });

  const screens: Record<string, { bytes: string; rows: number }> = {};
  const look = async (name: string, rows = 34) => {
    const bytes = await photograph(['top', ...urls.map(url => `--url=${url}`)], { rows, env: admin });
    screens[name] = { bytes, rows };
  };
  const command = async (...args: readonly string[]) => {
    const { code, stderr } = await runUgc(args);
    if (code !== 0) throw new Error(`ugc ${args.join(' ')}: ${stderr}`);
  };
  const scenes: readonly Scene[] = [
    [110, 'Kafka is killed', () => kafka.kill()],
    [160, 'a look at top', () => look('outage')],
    [185, 'Kafka is back', () => kafka.restart()],
    [
      280,
      'tables paused',
      () => command('flows', 'pause', 'tables', '--why=ClickHouse is upgraded', '--by=anna', brokers),
    ],
    [335, 'a look at top', () => look('paused')],
    [350, 'tables resumed', () => command('flows', 'resume', 'tables', '--by=anna', brokers)],
    [400, 'garbage in the log', () => garbage(kafka.brokers)],
    [410, 'a rush', () => rush(urls[1]!, rusher)],
    [
      460,
      'a rule',
      () => command('rules', 'add', 'drop', '--event-type=click', `--data-dir=${folders[0]}`, '--why=a loop'),
    ],
    [540, 'a look at top', () => look('well')],
  ];

  const from = Date.now() / 1000;
  const playing = new AbortController();
  const load = toItsEnd([
    ...['load', ...urls.slice(0, 2).map(url => `--url=${url}`), `--key=${shop}`],
    ...[`--duration=${seconds}`, '--rate=120', '--bad-share=2%', '--duplicate-share=1%', '--seed=7'],
    ...['--verify', `--clickhouse-url=${clickhouse.url}`, `--report=${join(folder, 'load.html')}`],
  ]);
  const content = contentTraffic(all[0]!, playing.signal);
  for (const [at, what, happen] of scenes) {
    await Bun.sleep(Math.max(0, (from + at) * 1000 - Date.now())); // the hour of its scene
    console.log(`${Math.round(Date.now() / 1000 - from)} s: ${what}`);
    await happen();
  }
  const { code, stdout } = await load;
  playing.abort();
  await content;
  const to = Date.now() / 1000;
  if (code !== 0) throw new Error(`ugc load ended with ${code}: ${stdout}`);
  writeFileSync(join(folder, 'load.txt'), stdout);
  writeFileSync(join(folder, 'played.json'), JSON.stringify({ from, to, screens } satisfies Played));
  await prometheus.stop();
  await Promise.all(all.map(ugc => ugc.stop()));
  await Promise.all([clickhouse.remove(), kafka.stopForGood()]);
}

/** Longer than any command of a test may take. */
async function toItsEnd(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  const child = Bun.spawn([binary, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
  const [stdout, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { code, stdout };
}

/** Likes, bookmarks and where a film was left, at the pace of some people. */
async function contentTraffic({ url }: Ugc, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const person = askerOf(url, tokenFor(`person-${round % 50}`));
    const film = `/v1/films/film-${round % 300}`;
    await person('PUT', `${film}/like`, { body: { value: 1 } });
    await person('PUT', `${film}/progress`, { body: { position: round % 100, duration: 100 } });
    if (round % 3 === 0) await person('PUT', `${film}/bookmark`);
    if (round % 7 === 0) await person('GET', '/v1/me/history');
    await Bun.sleep(200);
  }
}

/** Records of another program, which can be no rows. */
async function garbage(brokers: readonly string[]): Promise<void> {
  const producer = kafkaClient(brokers, 5).producer();
  await producer.connect();
  const messages = Array.from({ length: 120 }, (_, at) => ({
    value: at % 3 === 0 ? 'not JSON' : '{"event_type":"click"}',
  }));
  await producer.send({ topic: 'ugc.click', messages });
  await producer.disconnect();
}

/** More than one address may send. */
const rush = (url: string, key: string): Promise<unknown> =>
  runUgc(['load', `--url=${url}`, `--key=${key}`, '--rate=600', '--duration=30', '--seed=8']);
