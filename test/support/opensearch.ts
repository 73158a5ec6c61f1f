// A real search engine for tests: OpenSearch, which began as Elasticsearch 7.10 and takes the same templates, data streams,
// mappings, documents and questions. It knows no ILM, which is Elasticsearch's own. One of Maven's jars; nothing of it is left
// behind.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { mavenJars } from './maven-jars.ts';
import { eventually } from './until.ts';

export interface TestSearch {
  /** Resolves with the JSON of the answer; rejects with what it says, when that is no 2xx. `body` of text is sent as it is. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

const version = '2.19.6'; // newer ones want a newer Java than 17

const findJars = () =>
  mavenJars({
    title: 'OpenSearch',
    name: 'opensearch',
    version,
    artifacts: [
      `org.opensearch:opensearch:${version}`,
      `org.opensearch.plugin:transport-netty4-client:${version}`,
      'org.apache.logging.log4j:log4j-core:2.25.4',
    ],
  });

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error: tests that do not run show nothing. */
export async function isWithoutSearch(): Promise<boolean> {
  const found = await findJars();
  if ('jars' in found) return false;
  if (process.env.CI) throw new Error(`no OpenSearch, and this is CI: ${found.missing}`);
  console.warn(`NO OPENSEARCH, SO ITS TESTS ARE SKIPPED: ${found.missing}`);
  return true;
}

export async function startSearch(): Promise<TestSearch> {
  const found = await findJars();
  if ('missing' in found) throw new Error(`no OpenSearch for this test: ${found.missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'ugc-search-'));
  mkdirSync(join(folder, 'config'));
  const [port] = (await freePorts(1)) as [number];
  const logFile = join(folder, 'search.log');
  const log = openSync(logFile, 'a');
  const source = join(import.meta.dir, 'java/SearchNode.java');
  // biome-ignore format: a command is read in one line
  const command = ['java', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${found.jars}/*`, source, folder, String(port)];
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: log, stderr: log });
  closeSync(log);
  process.on('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const isUp = async (): Promise<boolean> => {
    if (child.exitCode !== null)
      throw new Error(`OpenSearch has ended: ${readFileSync(logFile, 'utf8').slice(0, 2_000)}`);
    return fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await eventually(isUp, { what: 'OpenSearch answers', msMax: 120_000 });
  return {
    async ask(method, path, body) {
      const response = await fetch(`${url}/${path}`, {
        method,
        ...(body !== undefined && {
          body: typeof body === 'string' ? body : JSON.stringify(body),
          headers: { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' },
        }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 2_000)}`);
      return JSON.parse(text);
    },
    async stopForGood() {
      child.kill('SIGKILL');
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
