// Kafka as the log the mover reads: the owned partitions of a consumer group, read ahead, polled as NDJSON.
//
// kafkajs gives the connections, and the requests of its group protocol. Not its consumer: it decodes a record into an
// object (4.5 µs; scan.ts takes 0.4), heartbeats between batches only, commits whatever it is told under the generation of
// the moment, and fails for all topics when one is missing. Who does what:
//   group.ts     membership, heartbeats, shares        commits.ts   positions to the coordinator, fenced
//   fetcher.ts   records from the leaders, scan.ts     here         where partitions live and begin; the port
// - a position is committed by commit() alone, as the offset after `last`, and only under the ownership its records were
//   read under: what was lost meanwhile commits nothing and is read again by whoever owns it
// - nothing here rejects because Kafka is away: it is told in the log once, and waited for
// - memory is bounded by readAheadBytesMax, partitionBytesMax of each paused partition, and one answer a broker

import { PipelineError } from '../../../errors.ts';
import type { PollOptions, PositionedSource } from '../../../ports/source.ts';
import { troublesOf } from '../../../process/troubles.ts';
import { waitingPoll } from '../../../process/waiting-poll.ts';
import { openCluster } from '../connect/cluster.ts';
import { dropCluster, dropHung } from '../connect/driver.ts';
import { errorOfReader, unled } from '../connect/error.ts';
import { type LogIdentity, withIdOf } from '../connect/identity.ts';
import { type KafkaSourceOptions, kafkaSourceDefaults } from '../connect/options.ts';
import { kafkaTopics } from '../connect/topics.ts';
import { keyOf } from './assign.ts';
import { kafkaCommits } from './commits.ts';
import { kafkaFetcher } from './fetcher.ts';
import { kafkaGroup } from './group.ts';
import { finishedOf, type Owned, partitionsOf, placeOf } from './partitions.ts';
import { pauseOf, within } from './pause.ts';
import { beginIn, type Committed, committedOf, earliestOf, endOf, endOfEpoch } from './positions.ts';
import { watchedTopics } from './watched.ts';

export interface KafkaSource extends PositionedSource {
  /** In words what keeps it from reading now, or null. */
  problem(): string | null;
  /** Events in the owned partitions behind the committed positions, by topic; a topic of which that is not known is left out. */
  lag(): ReadonlyMap<string, number>;
}

const tickMs = 500;
/** How often the ends of paused topics are asked for. */
const endAgeMsMax = 2_000;

export function kafkaSource(given: KafkaSourceOptions): KafkaSource {
  const options = { ...kafkaSourceDefaults, ...given };
  const { logger, clientId, from = null, onReplaced = () => {} } = options;
  const address = options.brokers.join(',');
  const cluster = openCluster(options);
  const topics = kafkaTopics(cluster, address, Number.POSITIVE_INFINITY);
  const troubles = troublesOf({ name: 'kafka', title: 'Kafka', logger });
  const partitions = partitionsOf();
  const pause = pauseOf();
  const watched = watchedTopics({
    address,
    topics,
    troubles,
    logger,
    onReplaced(topic) {
      if (!options.topics.includes(topic)) return; // another member's, counted for it
      onReplaced(topic);
      partitions.replace(topic);
      commits.resume();
    },
  });
  let paused: ReadonlySet<string> = new Set();
  let isClosed = false;
  let closed: Promise<void> | undefined;

  const group = kafkaGroup({
    ...options,
    cluster,
    address,
    troubles,
    countPartitions: watched.count,
    counts: watched.counts,
    onAssigned(places, isContinued) {
      partitions.assign(places, isContinued);
      troubles.forget(/^(partition|positions|commit|leader of) /);
      logger.info(
        { group: options.groupId, partitions: places.length, is_continued: isContinued },
        'partitions to read from Kafka',
      );
      commits.resume();
      pause.wake();
    },
  });
  const commits = kafkaCommits({
    clientId,
    address,
    group,
    troubles,
    isOwned: commit => partitions.find(commit)?.epoch === commit.epoch,
  });
  const fetcher = kafkaFetcher({
    ...options,
    cluster,
    topics,
    partitions,
    troubles,
    paused: () => paused,
    onReady: () => polling.wake(),
    onPassed: (owned, offset) => void commits.add({ ...placeOf(owned), offset }),
    onOutOfRange: owned => void jump(owned),
    onDoubt: () => pause.wake(),
  });
  const polling = waitingPoll(
    (wanted: PollOptions) => {
      const batches = partitions.take(wanted);
      fetcher.schedule();
      return batches;
    },
    () => isClosed,
  );
  const keeping = keep();

  /** Looks after what fetching needs: where partitions live, where they begin. */
  async function keep(): Promise<void> {
    let countedAtMs = Number.NEGATIVE_INFINITY;
    while (!isClosed) {
      if (performance.now() - countedAtMs > options.topicsAgeMsMax) {
        countedAtMs = performance.now();
        await watched.count(options.topics);
        group.recount();
      }
      // Not known, or a leader is looked forward to.
      for (const topic of new Set([...partitions.all()].filter(owned => !isLed(owned)).map(owned => owned.topic)))
        await watched.look(topic);
      forgetBrokers();
      tellUnled();
      await locate();
      await Promise.all([...partitions.all()].map(follow));
      for (const owned of partitions.all())
        if (paused.has(owned.topic) && isSilent(owned) && isLed(owned)) void askEnd(owned);
      fetcher.schedule();
      commits.flush();
      await pause.wait(tickMs);
    }
  }

  /** What is wrong with a broker that leads nothing of ours is no trouble. */
  function forgetBrokers(): void {
    const nodes = [...partitions.all()].map(({ topic, partition }) => topics.known(topic)?.leaders[partition]);
    if (!nodes.includes(undefined)) troubles.forget(new RegExp(`^broker (?!(${nodes.join('|')})$)`));
  }

  /** All at once: each answer comes behind the records its broker waits for just then. */
  async function locate(): Promise<void> {
    const lost = [...partitions.all()].filter(({ next }) => next === null);
    await Promise.all([...Map.groupBy(lost, owned => owned.topic)].map(([topic, ofTopic]) => locateIn(topic, ofTopic)));
  }

  async function locateIn(topic: string, lost: readonly Owned[]): Promise<void> {
    const session = group.session();
    const known = topics.known(topic);
    if (session === null || known === undefined) return;
    try {
      const led = lost.filter(isLed);
      if (led.length === 0) return;
      const numbers = led.map(({ partition }) => partition);
      const committed = await committedOf(session, topic, numbers);
      const begun = await Promise.allSettled(
        led.map(owned => begin(owned, known.log, committed.get(owned.partition)!)),
      );
      if (begun.some(result => result.status === 'fulfilled' && result.value)) {
        logger.warn({ topic }, 'positions are committed of another log of this name: it is read from its start');
        onReplaced(topic);
      }
      for (const { reason } of begun.filter(result => result.status === 'rejected')) throw reason;
      troubles.clear(`positions of ${topic}`);
    } catch (thrown) {
      dropHung(cluster, thrown);
      topics.doubt(topic);
      group.check();
      troubles.tell(`positions of ${topic}`, errorOfReader(thrown, `topic ${topic}`));
    }
  }

  /** Whether what is committed is of another log. */
  async function begin(owned: Owned, log: LogIdentity, committed: Committed | null): Promise<boolean> {
    const epoch = topics.known(owned.topic)?.epochs[owned.partition] ?? -1;
    const { next, isReplaced } = await beginIn({ cluster, topics, from }, owned, { committed, log });
    if (partitions.find(owned) !== owned) return false;
    partitions.begin(owned, next, withIdOf(log, committed?.log));
    owned.underEpoch = epoch;
    if (committed?.offset === next) owned.readEpoch = committed.epoch;
    else if (committed !== null && !isReplaced) tellCut(owned, committed.offset, next);
    // Offsets given, and ends, are of this log and this moment: whoever starts again goes on where this one began.
    if (committed === null && from !== null) void commits.add({ ...placeOf(owned), offset: next });
    return isReplaced;
  }

  /** Others of its topic go on: that one's brokers are away is no reason to doubt where the topic lives. */
  const isLed = ({ topic, partition }: Owned): boolean => (topics.known(topic)?.leaders[partition] ?? -1) >= 0;

  function tellUnled(): void {
    for (const owned of partitions.all()) {
      const subject = `leader of ${keyOf(owned)}`;
      if (isLed(owned)) troubles.clear(subject);
      else if (topics.known(owned.topic) !== undefined) troubles.tell(subject, unled(owned));
    }
  }

  function tellCut(owned: Owned, offset: number, end: number): void {
    const words = 'the log was cut: its leader has less of it than was read; going on where they part';
    const { topic, partition } = owned;
    logger.error({ topic, partition, position: offset, end }, words);
  }

  /** A leader was elected: whether it has what was read is asked before anything is read from it. */
  async function follow(owned: Owned): Promise<void> {
    const epoch = topics.known(owned.topic)?.epochs[owned.partition] ?? -1;
    const { next } = owned;
    if (next === null || epoch === owned.underEpoch || !isLed(owned)) return;
    try {
      const end = await endOfEpoch({ cluster, topics, from }, owned, owned.readEpoch);
      if (partitions.find(owned) !== owned || owned.next === null) return;
      if (end < owned.next) {
        tellCut(owned, owned.next, end);
        partitions.jump(owned, end);
      }
      partitions.find(owned)!.underEpoch = epoch;
    } catch (thrown) {
      dropHung(cluster, thrown);
      topics.doubt(owned.topic);
      troubles.tell(`partition ${keyOf(owned)}`, errorOfReader(thrown, keyOf(owned)));
    }
  }

  /** Where a partition ends whose topic is paused: no fetch tells, and its lag is to be known all the same. */
  async function askEnd(owned: Owned): Promise<void> {
    owned.toldAtMs = performance.now();
    try {
      owned.highWatermark = await endOf(cluster, topics, owned);
    } catch (thrown) {
      // It stays what it was: without its leader nobody writes to it either.
      dropHung(cluster, thrown);
      topics.doubt(owned.topic);
    }
  }

  /** Retention has passed us, or the log is another one than the one that was committed to. */
  async function jump(owned: Owned): Promise<void> {
    const at = owned.next;
    try {
      await watched.look(owned.topic);
      const next = await earliestOf(cluster, topics, owned);
      if (partitions.find(owned) !== owned || at === null) return;
      const missed = next > at ? next - at : null;
      const message = missed === null ? 'the log has become shorter' : `${missed} records were deleted unread`;
      const { topic, partition } = owned;
      logger.error({ topic, partition, position: at, earliest: next, missed }, `${message}; going on at the earliest`);
      partitions.jump(owned, next);
      pause.wake();
    } catch (thrown) {
      topics.doubt(owned.topic);
      troubles.tell(`partition ${keyOf(owned)}`, errorOfReader(thrown, keyOf(owned)));
    }
  }

  async function end(): Promise<void> {
    isClosed = true;
    polling.wake();
    pause.wake();
    fetcher.close();
    await commits.close();
    await group.close();
    dropCluster(cluster, new PipelineError('shutting_down'));
    await within(tickMs, keeping);
  }

  return {
    poll(wanted, signal) {
      paused = wanted.paused;
      return polling.poll(wanted, signal);
    },
    async commit(ack) {
      const { topic, partition, last, epoch } = finishedOf(ack);
      const owned = partitions.find({ topic, partition });
      if (owned === undefined || owned.epoch !== epoch) return;
      await commits.add({ ...placeOf(owned), offset: partitions.finish(owned, last) });
    },
    owns: ({ topic, partition, epoch }) => partitions.find({ topic, partition })?.epoch === epoch,
    close: () => (closed ??= end()),
    problem: () => troubles.problem() ?? unsharedIn(group.unshared()),
    lag() {
      const lag = new Map(partitions.lag());
      // What nobody reads yet is not known, rather than nothing.
      for (const topic of group.unshared()) lag.delete(topic);
      return lag;
    },
  };
}

const unsharedIn = (topics: readonly string[]): string | null =>
  topics.length === 0 ? null : `new partitions of ${topics.join(', ')} wait to be shared out`;

const isSilent = ({ next, toldAtMs }: Owned): boolean => next !== null && performance.now() - toldAtMs > endAgeMsMax;
