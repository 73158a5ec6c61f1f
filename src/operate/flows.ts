// `ugc flows ls|pause|resume|drain`: what flows there are, how they move, and what operators wish of them. A wish is kept
// where the processes read it (ports/flow-control.ts), and counts in each of them within seconds, whether it runs now or later.

import { hostname, userInfo } from 'node:os';
import { topicOfType } from '../catalogue/topics.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, integer, type Settings, text } from '../config/kinds.ts';
import { PipelineError } from '../errors.ts';
import type { FlowControl, FlowState, Wish, Wishes } from '../ports/flow-control.ts';
import { sleep } from '../process/sleep.ts';
import { readWish, wrongFlow } from '../record/wishes.ts';
import { type Command, command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { instancesNow } from './flows-now.ts';
import { flowLines, flowsText } from './flows-table.ts';
import { plain, say, writeOut } from './output.ts';
import { urlsFlag, urlsOf } from './watch.ts';

const json = flag({ default: false, help: 'JSON instead of text for people' });
const by = text({ default: '', takes: 'a name', help: 'Who wishes it; empty = the user on this machine' });
const why = (help: string) => text({ default: '', takes: 'words', help });
const wait = integer({
  default: 0,
  min: 0,
  max: 86_400,
  help: 'Wait for so long at most until nothing is left and it is paused; exit code 1 when it is not by then',
});

/** Each command's own flags; `ugc help flows` prints them. */
export const flowsFlags = {
  ls: { url: urlsFlag, json },
  pause: { why: why('Why, for whoever finds it paused; has to be said'), by, json },
  resume: { why: why('Why'), by, json },
  drain: { why: why('Why, for whoever finds it paused; has to be said'), by, waitSeconds: wait, json },
} as const satisfies Readonly<Record<string, Settings>>;

export interface FlowsWiring {
  /** Where wishes are kept with these settings. */
  readonly controlOf: (config: Config) => FlowControl;
  /** Events behind what the mover (null) or a reader has committed; null = the log cannot tell. */
  readonly behindOf: (config: Config, reader: string | null, topics: readonly string[]) => Promise<Left | null>;
  /** Whether wishes count for the processes of this data folder alone. */
  readonly isOfFolder: (config: Config) => boolean;
}

type Left = ReadonlyMap<string, number>;

const knownMsMax = 10_000;

export const flowsCommands = (wiring: FlowsWiring): Readonly<Record<keyof typeof flowsFlags, Command>> => ({
  ls: command(flowsFlags.ls, ({ args, flags, config }) =>
    inWords(async () => {
      if (args[0] !== undefined) return misused(`ls takes flags alone, not ${plain(args[0])}`);
      const [instances, kept] = await Promise.all([
        instancesNow(urlsOf(flags.url, config), config.adminKey),
        withControl(wiring, config, async control => knownOf(control)).catch((error: unknown) => {
          if (!(error instanceof PipelineError) || error.code === 'config_invalid') throw error;
          return error;
        }),
      ]);
      const wishes = kept instanceof Error ? new Map() : kept;
      const lines = await flowLines({ config, wishes, instances, behindOf: wiring.behindOf });
      if (flags.json) writeOut(`${JSON.stringify({ flows: lines, away: instances.flatMap(awayOf) })}\n`);
      else writeOut(flowsText(lines));
      for (const { url, away } of instances.flatMap(awayOf)) say(`${plain(url)} says nothing: ${plain(away)}`);
      if (!(kept instanceof Error)) return 0;
      say(`ugc: what is wished of flows cannot be read: ${plain(kept.message)}`);
      return 1;
    }),
  ),
  pause: wishing(wiring, flowsFlags.pause, 'paused'),
  resume: wishing(wiring, flowsFlags.resume, 'running'),
  drain: wishing(wiring, flowsFlags.drain, 'draining'),
});

const awayOf = ({ url, away }: { readonly url: string; readonly away: string | null }) =>
  away === null ? [] : [{ url, away }];

const names: Readonly<Record<FlowState, string>> = { paused: 'pause', running: 'resume', draining: 'drain' };

function wishing(
  wiring: FlowsWiring,
  declared: typeof flowsFlags.pause | typeof flowsFlags.drain,
  state: FlowState,
): Command {
  return command(declared, ({ args, flags, config }) =>
    inWords(async () => {
      const [flow = ''] = args;
      const name = names[state];
      if (args.length !== 1) return misused(`${name} takes one flow, as ugc flows ls calls it`);
      const wrong = wrongFlow(flow) ?? wrongHere(flow, config);
      if (wrong !== null) return misused(wrong);
      if (state !== 'running' && flags.why.trim() === '')
        return misused(`${name} needs --why="…": whoever finds ${flow} like this at night has to know`);
      const wish = { flow, state, by: flags.by || ownName(), at: new Date().toISOString(), why: flags.why };
      if (readWish(JSON.stringify(wish)) === null) return misused('--why and --by take at most 1000 characters each');
      const waitMs = 'waitSeconds' in flags ? flags.waitSeconds * 1_000 : 0;
      const folder = wiring.isOfFolder(config) ? config.dataDir : null;
      return withControl(wiring, config, control => keep(control, { wish, waitMs, folder, json: flags.json }));
    }),
  );
}

interface Wished {
  readonly wish: Wish;
  /** 0 = it is not waited for. */
  readonly waitMs: number;
  /** The data folder for whose processes alone it counts; null = it counts for all. */
  readonly folder: string | null;
  readonly json: boolean;
}

async function keep(control: FlowControl, { wish, waitMs, folder, json: asJson }: Wished): Promise<Exit> {
  const { flow, state } = wish;
  const tell = (words: string): void => {
    if (!asJson) say(words);
  };
  await control.wish(wish);
  tell(`${flow} is ${state} from now on, in every process that moves it within seconds; ugc flows ls shows it`);
  if (folder !== null) tell(`it counts for the processes on ${folder} alone`);
  const isDrained = waitMs > 0 && (await drainedWithin(control, wish, waitMs));
  if (waitMs > 0) tell(isDrained ? `nothing is left of ${flow}: it is paused` : `${flow} is not drained yet`);
  if (asJson) writeOut(`${JSON.stringify({ ...wish, ...(waitMs > 0 && { drained: isDrained }) })}\n`);
  return waitMs > 0 && !isDrained ? 1 : 0;
}

/** What cannot be meant with these settings, in words, or null. */
function wrongHere(flow: string, config: Config): string | null {
  const [, type] = flow.split(':');
  if (type === undefined) return null;
  const catalogue = catalogueFor(config);
  const topic = topicOfType(config, catalogue, type);
  if (topic === null) return `there is no event type ${type}; see ugc schema ls`;
  const sharing = catalogue.types.filter(({ name }) => name !== type && topicOfType(config, catalogue, name) === topic);
  if (sharing.length === 0) return null;
  return `${type} shares the topic ${topic} with ${sharing.length} other event types (UGC_TOPIC), so it cannot be steered alone`;
}

/** A container's user may have no name. */
function ownName(): string {
  const { username, uid } = userInfo();
  return `${username === 'unknown' ? `user ${uid}` : username}@${hostname()}`;
}

async function withControl<T>(
  { controlOf }: FlowsWiring,
  config: Config,
  use: (control: FlowControl) => Promise<T>,
): Promise<T> {
  const control = controlOf(config);
  try {
    return await use(control);
  } finally {
    await control.close();
  }
}

/** Rejects when they are not known in time. */
async function knownOf(control: FlowControl): Promise<Wishes> {
  const wishes = await untilKnown(control, () => control.wishes(), knownMsMax);
  if (control.problem() !== null) throw new PipelineError('log_halted', control.problem() ?? '');
  if (wishes === null) throw new PipelineError('log_unavailable', control.away() ?? 'nothing was heard of it');
  return wishes;
}

const drainedWithin = async (
  control: FlowControl,
  { flow, at }: { readonly flow: string; readonly at: string },
  msMax: number,
) =>
  (await untilKnown(
    control,
    () => {
      const wish = control.wishes()?.get(flow);
      return wish?.at === at && wish.isDrained ? wish : null;
    },
    msMax,
  )) !== null;

async function untilKnown<T>(control: FlowControl, look: () => T | null, msMax: number): Promise<T | null> {
  const over = AbortSignal.timeout(msMax);
  let changed = new AbortController();
  control.watch(() => changed.abort());
  for (;;) {
    const found = look();
    if (found !== null || over.aborted) return found;
    changed = new AbortController();
    await sleep(msMax, AbortSignal.any([over, changed.signal]));
  }
}

function misused(words: string): Exit {
  say(`ugc: ${words}; see ugc help flows`);
  return 2;
}
