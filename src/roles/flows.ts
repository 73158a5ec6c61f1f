// Flows, steered: what operators wish of them, the gates that their movers ask, and what is told of it in words, metrics
// and the log. A mover takes a gate and says how much is left of its flow; the rest is done here.
//
// - A wish that is not known yet is taken for a pause: a process that starts anew never moves what was paused before. But for
//   the outbox: where the wishes are away because the broker is, its events are to go to the disk, as all others do.
// - A flow that is drained is told to all once nothing is left of it; of the drain (buffer → broker) each process has its own.
// - What waits because of a pause grows old: its age is told, so that lag and retention go on warning.

import { messageOf } from '../errors.ts';
import type {
  FlowControl,
  FlowHere,
  FlowName,
  FlowNow,
  Flows,
  GateOptions,
  Left,
  SteeredGate,
  Wishes,
} from '../ports/flow-control.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import type { Role } from './role.ts';

export interface OpenFlows extends Flows, Required<Pick<Role, 'problems' | 'close'>> {}

export interface FlowsOptions {
  readonly control: FlowControl;
  /** Where events of a type go; null = it is not known. */
  readonly topicOf: (type: string) => string | null;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'flowPaused'>;
  readonly lookEveryMs?: number;
}

interface Moved extends Required<Pick<GateOptions, 'flow' | 'topics' | 'left'>> {
  readonly leftAnywhere: GateOptions['leftAnywhere'] | undefined;
  readonly listeners: Set<() => void>;
  /** When it was last asked. */
  known: Left;
}

const outboxFlow: FlowName = 'content';
const nothing: ReadonlySet<string> = new Set();
const nowhere: ReadonlyMap<string, number> = new Map();
const unsaid = { state: 'running', by: '', at: '', why: '', isDrained: false } as const;

export function openFlows({ control, topicOf, logger, metrics, lookEveryMs = 1_000 }: FlowsOptions): OpenFlows {
  const ending = new AbortController();
  const moved = new Map<FlowName, Moved>();
  /** Flows and times of wishes to drain them that this process has seen fulfilled. */
  const ended = new Set<string>();
  let told: Wishes = new Map();

  /** Of the buffer of this process, whatever others have left in theirs. */
  const isEmptied = ({ flow, state, at }: FlowNow): boolean =>
    flow === 'drain' && state === 'draining' && ended.has(`${flow} ${at}`);

  function wishOf(flow: string): FlowNow | undefined {
    const wish = control.wishes()?.get(flow);
    return wish !== undefined && isEmptied(wish) ? { ...wish, state: 'paused', isDrained: true } : wish;
  }

  function partsOf(flow: FlowName): readonly FlowHere[] {
    const types = [...(control.wishes()?.keys() ?? [])].filter(name => name.startsWith(`${flow}:`));
    return [
      { ...unsaid, ...wishOf(flow), flow, topic: null },
      ...types.map(name => ({ ...unsaid, ...wishOf(name), flow: name, topic: topicOf(name.slice(flow.length + 1)) })),
    ];
  }

  const isShut = (flow: FlowName): boolean =>
    control.wishes() === null ? flow !== outboxFlow : wishOf(flow)?.state === 'paused';

  function shutTopics({ flow, topics }: Moved): ReadonlySet<string> {
    if (control.wishes()?.size === 0) return nothing;
    if (isShut(flow)) return new Set(topics());
    return new Set(partsOf(flow).flatMap(({ state, topic }) => (state === 'paused' && topic !== null ? [topic] : [])));
  }

  function gate({ flow, topics = () => [flow], left, leftAnywhere }: GateOptions): SteeredGate {
    const own: Moved = { flow, topics, left, leftAnywhere, listeners: new Set(), known: null };
    moved.set(flow, own);
    show();
    return {
      get isShut() {
        return isShut(flow);
      },
      topics: () => shutTopics(own),
      isDraining: topic => partsOf(flow).some(part => part.state === 'draining' && isIn(topic, part)),
      watch: listener => {
        own.listeners.add(listener);
        return () => void own.listeners.delete(listener);
      },
      withWaiting: (oldest, reached) => withWaiting(own, oldest, reached),
    };
  }

  /** What has come since the pause waits no longer than that; in a backlog it follows what was read last. */
  function withWaiting({ flow, topics, known }: Moved, oldest: ReadonlyMap<string, number>, reached = nowhere) {
    const paused = partsOf(flow).filter(({ state }) => state === 'paused');
    if (paused.length === 0) return oldest;
    const all = new Map(oldest);
    for (const part of paused)
      for (const topic of topics().filter(one => isIn(one, part) && (known?.get(one) ?? 0) > 0))
        all.set(topic, Math.min(Date.parse(part.at), ...[oldest, reached].flatMap(told => told.get(topic) ?? [])));
    return all;
  }

  function changed(): void {
    const wishes = control.wishes() ?? told;
    for (const wish of wishes.values()) {
      const before = told.get(wish.flow);
      if (before?.at !== wish.at || before.isDrained !== wish.isDrained) tell(wish);
    }
    told = wishes;
    wake();
  }

  function wake(): void {
    show();
    for (const { listeners } of moved.values()) for (const listener of listeners) listener();
  }

  /** The audit line: who wished what of which flow, when and why. */
  function tell({ flow, state, by, at, why, isDrained }: FlowNow): void {
    const words = isDrained ? 'nothing is left of it, and it is paused' : `it is ${state}`;
    logger.info({ flow, state, by, since: at, why }, `flow ${flow}: ${words}, as ${by} wishes`);
  }

  function show(): void {
    metrics.flowPaused.reset();
    for (const flow of moved.keys())
      for (const part of partsOf(flow)) metrics.flowPaused.set({ flow: part.flow }, part.state === 'paused' ? 1 : 0);
  }

  async function look(): Promise<void> {
    while (!ending.signal.aborted) {
      for (const own of moved.values()) await lookAt(own);
      await sleep(lookEveryMs, ending.signal);
    }
  }

  async function lookAt(own: Moved): Promise<void> {
    const parts = partsOf(own.flow).filter(({ state }) => state !== 'running');
    if (parts.length === 0) return;
    own.known = await own.left().catch(() => null);
    for (const part of parts)
      if (part.state === 'draining' && (await isNothingLeft(own, part))) await endDraining(part);
  }

  async function isNothingLeft({ topics, known, leftAnywhere }: Moved, part: FlowHere): Promise<boolean> {
    if (part.flow.includes(':') && part.topic === null) return false; // a type that is not known here
    const own = topics().filter(topic => isIn(topic, part));
    if (known === null || own.some(topic => (known.get(topic) ?? 0) > 0)) return false;
    if (leftAnywhere === undefined) return true;
    const anywhere = await leftAnywhere().catch(() => null);
    return anywhere !== null && [...anywhere].every(([topic, events]) => events === 0 || !isIn(topic, part));
  }

  async function endDraining(part: FlowHere): Promise<void> {
    const { flow, at } = part;
    if (control.wishes()?.get(flow)?.at !== at || ended.has(`${flow} ${at}`)) return; // another wish came meanwhile
    try {
      if (flow !== 'drain') await control.drained({ flow, drained: at });
      ended.add(`${flow} ${at}`);
      if (flow !== 'drain') return; // all hear of it, this process too
      tell({ ...part, state: 'paused', isDrained: true });
      wake();
    } catch (error) {
      logger.warn({ flow, reason: messageOf(error) }, 'nothing is left of a flow, and that is not kept yet');
    }
  }

  function problems(): Readonly<Record<string, string>> {
    const spoken = [...moved.keys()].flatMap(partsOf).filter(({ state }) => state === 'paused');
    const problem = control.problem() ?? (control.wishes() === null ? notKnown(control.away()) : null);
    return {
      ...(problem === null ? {} : { flows: problem }),
      ...Object.fromEntries(spoken.map(part => [`flow ${part.flow}`, wordsOf(part)])),
    };
  }

  control.watch(changed);
  changed();
  const looking = look();
  return {
    gate,
    here: () => [...moved.keys()].flatMap(partsOf),
    problems,
    close: async () => {
      ending.abort();
      await control.close();
      await looking;
    },
  };
}

const notKnown = (why: string | null): string | null =>
  why === null ? null : `nothing leaves the log and the buffer until it is known whether that is paused: ${why}`;

const isIn = (topic: string, part: Pick<FlowHere, 'flow' | 'topic'>): boolean =>
  part.topic === null ? !part.flow.includes(':') : part.topic === topic;

const wordsOf = ({ flow, by, at, why, isDrained }: FlowHere): string =>
  `${isDrained ? 'drained and ' : ''}paused since ${at} by ${by}: ${why || 'no reason given'}; what comes waits until ugc flows resume ${flow}`;
