// A real Prometheus and its promtool for tests: the package of the system, installed with CI set.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packaged } from './apt.ts';
import { freePorts } from './free-ports.ts';
import { eventually } from './until.ts';

/** For `skipIf`: true, said aloud, on a machine without one; in CI that is an error. */
export function isWithoutPrometheus(): boolean {
  const why = packaged('prometheus', () => Bun.which('prometheus') !== null && Bun.which('promtool') !== null);
  if (why === null) return false;
  if (process.env.CI) throw new Error(`no Prometheus, and this is CI: ${why}`);
  console.warn(`NO PROMETHEUS, SO ITS TESTS ARE SKIPPED: ${why}`);
  return true;
}

/** Paths are of the folder it runs in. */
export function promtool(folder: string, ...args: string[]): { readonly isGood: boolean; readonly said: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync(['promtool', ...args], { cwd: folder, stdin: 'ignore' });
  return { isGood: exitCode === 0, said: `${stdout}${stderr}` };
}

export interface TestPrometheus {
  readonly url: string;
  /** Every sample of the answer. Rejects, with what Prometheus says, when it understands the query not. */
  query(expression: string): Promise<readonly Sample[]>;
  stop(): Promise<void>;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusOptions {
  /** Addresses of what it scrapes, all http or all https. */
  readonly targets: readonly string[];
  readonly ruleFiles: readonly string[];
  /** Of targets that are asked over TLS. */
  readonly ca?: string;
  /** It scrapes and computes so often. */
  readonly everySeconds?: number;
  /** Where its samples stay; without one they are gone with it. */
  readonly keptIn?: string;
}

export async function startPrometheus({
  targets,
  ruleFiles,
  ca,
  everySeconds = 1,
  keptIn,
}: PrometheusOptions): Promise<TestPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-prometheus-'));
  const [port] = (await freePorts(1)) as [number];
  const every = `${everySeconds}s`;
  const tls = ca === undefined ? {} : { tls_config: { ca_file: ca } };
  const urls = targets.map(target => new URL(target));
  const scraping = {
    global: { scrape_interval: every, evaluation_interval: every },
    rule_files: ruleFiles,
    scrape_configs: urls.slice(0, 1).map(({ protocol }) => ({
      job_name: 'ugc',
      scheme: protocol.slice(0, -1),
      ...tls,
      static_configs: [{ targets: urls.map(({ host }) => host) }],
    })),
  };
  const config = join(folder, 'prometheus.yaml');
  writeFileSync(config, JSON.stringify(scraping)); // which is YAML, too
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${keptIn ?? `${folder}/data`}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = Bun.spawn(['prometheus', ...flags], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: Bun.file(`${folder}/log`),
  });
  const url = `http://127.0.0.1:${port}`;
  const atExit = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const isReady = () => fetch(`${url}/-/ready`).then(({ ok }) => ok, () => false); // biome-ignore format: short
  await eventually(isReady, { what: 'Prometheus is ready' });
  return {
    url,
    async query(expression) {
      const samples = await askPrometheus(url, 'query', { query: expression });
      return samples.map(({ metric, value }) => ({ labels: metric, value: Number(value![1]) }));
    },
    async stop() {
      process.off('exit', atExit);
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A series of an answer: `value` of an instant, `values` of a range. */
export interface Sampled {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [atSeconds: number, value: string];
  readonly values?: readonly (readonly [atSeconds: number, value: string])[];
}

/** Prometheus's HTTP API. Throws what it says of a query it cannot take. */
export async function askPrometheus(
  url: string,
  what: 'query' | 'query_range',
  parameters: Readonly<Record<string, string>> & { readonly query: string },
): Promise<readonly Sampled[]> {
  const answer = await fetch(`${url}/api/v1/${what}?${new URLSearchParams(parameters)}`);
  const { status, error, data } = (await answer.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data: { readonly result: readonly Sampled[] };
  };
  if (status !== 'success') throw new Error(`${parameters.query}: ${error}`);
  return data.result;
}
