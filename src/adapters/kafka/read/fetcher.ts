// Reads ahead of the polls: one request under way to each broker that leads something we own, answered as soon as there
// is a first byte. What is read and not yet polled is bounded: a partition that has enough, a topic that is paused, or
// too much altogether is not asked for. A request that fails puts its partitions' whereabouts in doubt; whoever keeps
// them known (source.ts) asks for the fetching to go on.

import { PipelineError } from '../../../errors.ts';
import type { Troubles } from '../../../process/troubles.ts';
import { type Cluster, dropConnection, dropHung, sendBytes } from '../connect/driver.ts';
import { errorOfReader, errorOfReading, isForStaleMetadata } from '../connect/error.ts';
import type { Topics } from '../connect/topics.ts';
import { keyOf } from './assign.ts';
import { type FetchedPartition, fetchApi, readFetched, writeFetch } from './fetch.ts';
import type { Owned, Partitions } from './partitions.ts';
import { scanRecords } from './scan.ts';

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly clientId: string;
  readonly topics: Topics;
  readonly partitions: Partitions;
  readonly troubles: Troubles;
  readonly fetchWaitMs: number;
  readonly fetchBytesMax: number;
  readonly partitionBytesMax: number;
  readonly readAheadBytesMax: number;
  readonly isTraced?: boolean;
  readonly paused: () => ReadonlySet<string>;
  /** There is something to poll. */
  readonly onReady: () => void;
  /** Nothing but skips lie between the position and this offset. */
  readonly onPassed: (owned: Owned, offset: number) => void;
  /** The log does not go back to where this partition is to be read. */
  readonly onOutOfRange: (owned: Owned) => void;
  /** Leaders are in doubt. */
  readonly onDoubt: () => void;
}

export interface Fetcher {
  /** Something has changed: begins what can be begun. */
  schedule(): void;
  close(): void;
}

/** While a partition that will be wanted any moment is left out of a request, it does not wait long. */
const shortWaitMs = 10;
const retryMs = 1_000;
const throttleMsMax = 1_000;

interface Wanted extends Owned {
  next: number;
}

export function kafkaFetcher(options: FetcherOptions): Fetcher {
  const { cluster, clientId, topics, partitions, troubles } = options;
  const underWay = new Set<number>();
  let isClosed = false;

  function schedule(): void {
    for (const { topic, partition } of partitions.all()) {
      const node = topics.known(topic)?.leaders[partition] ?? -1;
      if (node >= 0 && !underWay.has(node)) void readOn(node);
    }
  }

  async function readOn(node: number): Promise<void> {
    underWay.add(node);
    try {
      for (;;) {
        const { wanted, waitMs } = pick(node);
        if (isClosed || wanted.length === 0) break;
        await fetchOnce(node, wanted, waitMs);
      }
    } finally {
      underWay.delete(node);
    }
  }

  function pick(node: number): { readonly wanted: readonly Wanted[]; readonly waitMs: number } {
    const paused = options.paused();
    const isFull = partitions.readyBytes(paused) >= options.readAheadBytesMax;
    const nowMs = performance.now();
    const wanted: Wanted[] = [];
    let waitMs = options.fetchWaitMs;
    for (const owned of partitions.all()) {
      if (owned.next === null || owned.retryAtMs > nowMs || paused.has(owned.topic)) continue;
      if (topics.known(owned.topic)?.leaders[owned.partition] !== node) continue;
      if (owned.readyBytes < options.partitionBytesMax) wanted.push(owned as Wanted);
      else waitMs = shortWaitMs;
    }
    return { wanted: isFull ? [] : wanted, waitMs };
  }

  async function fetchOnce(node: number, wanted: readonly Wanted[], waitMs: number): Promise<void> {
    const asked = wanted.map(owned => ({ owned, next: owned.next }));
    let address = `broker ${node}`;
    let drop = (): void => {};
    try {
      const broker = await cluster.brokerPool.findBroker({ nodeId: node });
      address = broker.brokerAddress;
      // The broker's other one, as kafkajs has it: on this one everything else would wait behind the records.
      const connection = await broker.connectionPool.getConnection(1);
      await connection.authenticate();
      const { socket } = connection;
      drop = () => {
        if (connection.socket === socket) dropConnection(connection, new Error('the connection was given up'));
      };
      const { fetchBytesMax: bytesMax, partitionBytesMax } = options;
      const bytes = await sendBytes(connection, fetchApi, correlationId =>
        writeFetch({ correlationId, clientId, waitMsMax: waitMs, bytesMax, partitionBytesMax }, wanted),
      );
      if (isClosed) return;
      const answer = readFetched(bytes);
      if (answer.code !== 0) throw errorOfReading(answer.code, address).error;
      troubles.clear(`broker ${node}`);
      for (const part of answer.partitions) take(part, asked);
      for (const { owned } of asked)
        if (!answer.partitions.some(part => keyOf(part) === keyOf(owned))) miss(owned, address);
      options.onReady();
      if (answer.throttleMs > 0) await Bun.sleep(Math.min(answer.throttleMs, throttleMsMax));
    } catch (thrown) {
      if (isClosed) return;
      drop();
      dropHung(cluster, thrown);
      topics.doubtLeader(node);
      troubles.tell(`broker ${node}`, errorOfReader(thrown, address));
      options.onDoubt();
    }
  }

  function take(part: FetchedPartition, asked: readonly { readonly owned: Wanted; readonly next: number }[]): void {
    const { owned, next } =
      asked.find(({ owned: { topic, partition } }) => topic === part.topic && partition === part.partition) ?? {};
    // Lost, or begun anew, while the answer was on its way.
    if (owned === undefined || partitions.find(owned) !== owned || owned.next !== next) return;
    if (part.code !== 0) {
      refuse(owned, part.code);
      return;
    }
    owned.highWatermark = part.highWatermark;
    owned.toldAtMs = performance.now();
    const scanned = scanRecords(part.records, { next, aborted: part.aborted, isTraced: options.isTraced === true });
    const passed = partitions.fill(owned, scanned);
    if (passed !== null) options.onPassed(owned, passed);
    const subject = `partition ${keyOf(owned)}`;
    if (scanned.problem === null) {
      troubles.clear(subject);
      return;
    }
    owned.retryAtMs = performance.now() + retryMs;
    troubles.tell(subject, new PipelineError('log_halted', `${keyOf(owned)}: ${scanned.problem}; it is not passed`));
  }

  /** Silence is no news: whether there are records is not known, and the leader is asked again, not at once. */
  function miss(owned: Owned, address: string): void {
    owned.retryAtMs = performance.now() + retryMs;
    const said = `${keyOf(owned)}: ${address} was asked for its records and says nothing of it`;
    troubles.tell(`partition ${keyOf(owned)}`, new PipelineError('log_unavailable', said));
  }

  function refuse(owned: Owned, code: number): void {
    const { name, error } = errorOfReading(code, keyOf(owned));
    owned.retryAtMs = performance.now() + retryMs;
    if (name === 'OFFSET_OUT_OF_RANGE') {
      options.onOutOfRange(owned);
      return;
    }
    if (isForStaleMetadata(code)) {
      owned.retryAtMs = 0;
      topics.doubt(owned.topic);
      options.onDoubt();
    }
    troubles.tell(`partition ${keyOf(owned)}`, error);
  }

  return {
    schedule,
    close() {
      isClosed = true;
    },
  };
}
