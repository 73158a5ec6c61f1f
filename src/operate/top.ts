// `ugc top`: how instances are, as they are: on a terminal a screen that is drawn anew, else lines, or JSON, one object a
// tick. Each instance tells it itself (GET /v1/stream, kinds=stats); one that is away is shown so, and comes back.

import { flag, integer } from '../config/kinds.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { Stats } from '../ports/passing.ts';
import { sleep } from '../process/sleep.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { columnsOut, plain, say, writeOut } from './output.ts';
import { openScreen, type Screen } from './screen.ts';
import { type InstanceNow, screenOf, totalOf } from './top-screen.ts';
import { type Message, untilSignalled, urlsFlag, urlsOf, watchInstance } from './watch.ts';

export const topFlags = {
  url: urlsFlag,
  interval: integer({ default: 1, min: 1, max: 3_600, help: 'Seconds between two looks' }),
  limit: integer({ default: 0, min: 0, max: 1e9, help: 'End after so many looks; 0 = go on' }),
  json: flag({ default: false, help: 'One JSON object a look' }),
};

/** Of an instance that is there and says nothing. */
const silentMsMax = 5_000;
/** The first look waits so long for a word of every instance. */
const firstMsMax = 5_000;

export const topCommand = command(topFlags, ({ args, flags, config, colours }) =>
  inWords(async (): Promise<Exit> => {
    if (args.length > 0) {
      say(`ugc: top takes flags alone, not ${plain(args[0]!)}; see ugc help top`);
      return 2;
    }
    const stop = untilSignalled();
    const urls = urlsOf(flags.url, config);
    const watching = urls.map(url =>
      watchOne({ url, key: config.adminKey, signal: stop.signal, isAlone: urls.length === 1 }),
    );
    const refused = new Promise<never>((_, reject) => {
      for (const { done } of watching) done.catch(reject);
    });
    const isShown = columnsOut() !== null && !flags.json;
    const screen = isShown ? openScreen({ onQuit: () => stop.abort(), onResize: () => draw() }) : null;

    function draw(): void {
      show({ instances: watching.map(({ now }) => now()), screen, json: flags.json, colours });
    }

    async function look(): Promise<void> {
      const first = performance.now();
      while (
        !stop.signal.aborted &&
        watching.some(({ isHeard }) => !isHeard()) &&
        performance.now() - first < firstMsMax
      )
        await sleep(20, stop.signal);
      for (let looks = 1; !stop.signal.aborted; looks++) {
        draw();
        if (looks === flags.limit) break;
        await sleep(flags.interval * 1_000, stop.signal);
      }
      stop.abort();
    }

    try {
      await Promise.race([look(), refused]);
    } finally {
      stop.abort();
      screen?.close();
    }
    return 0;
  }),
);

interface OneOptions {
  readonly url: string;
  readonly key: string;
  readonly signal: AbortSignal;
  /** There is no other to look at, so what it refuses ends the command. */
  readonly isAlone: boolean;
}

function watchOne({ url, key, signal, isAlone }: OneOptions) {
  let stats: Stats | null = null;
  let away: string | null = null;
  let heardAtMs = Number.NEGATIVE_INFINITY;
  let isHeard = false;

  function take({ event, data }: Message): void {
    if (event !== 'stats') return;
    const told = JSON.parse(data) as Stats;
    stats = told;
    heardAtMs = performance.now();
    isHeard = true;
  }

  const done = watchInstance({
    url,
    query: new URLSearchParams({ kinds: 'stats' }),
    key,
    signal,
    pauseMsMax: 2_000,
    onMessage: take,
    onState: words => {
      away = words;
      if (words === null) return;
      stats = null;
      isHeard = true;
    },
  }).catch(error => {
    if (isAlone || !(error instanceof PipelineError)) throw error;
    away = messageOf(error);
    isHeard = true;
  });
  return {
    done,
    isHeard: () => isHeard,
    now: (): InstanceNow => {
      const isSilent = stats !== null && performance.now() - heardAtMs > silentMsMax;
      return isSilent ? { url, stats: null, away: 'it says nothing' } : { url, stats, away };
    },
  };
}

interface Shown {
  readonly instances: readonly InstanceNow[];
  /** Null: nobody looks. */
  readonly screen: Screen | null;
  readonly json: boolean;
  readonly colours: boolean;
}

const piped = { columns: 100, rows: Number.POSITIVE_INFINITY, colours: false };

function show({ instances, screen, json, colours }: Shown): void {
  const at = new Date().toISOString();
  if (json) writeOut(`${JSON.stringify({ at, instances, together: totalOf(instances) })}\n`);
  else if (screen !== null) screen.draw(size => screenOf(instances, { ...size, colours }, at));
  else writeOut(`${screenOf(instances, piped, at).join('\n').trimEnd()}\n\n`);
}
