// `ugc dead ls|show|replay|dismiss`: the records that could not become rows, what becomes of them after a repair, and of
// those no operator will repair.

import { hintOf } from '../../schemas/nearest.ts';
import { tableOf } from '../../schemas/table.ts';
import { lettersIn } from '../adapters/clickhouse/ask/letters.ts';
import { clickhouseSink } from '../adapters/clickhouse/write/sink.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, instant, integer, type Settings, text, type Values } from '../config/kinds.ts';
import { fateOf, placeOf, placeText } from '../dead/place.ts';
import { type Replayed, replay } from '../dead/replay.ts';
import { deadReasons, PipelineError } from '../errors.ts';
import type { FoundLetter, LetterPlace, Letters } from '../ports/letters.ts';
import type { JudgeForeign } from '../ports/source.ts';
import { isoOf } from '../process/clock.ts';
import { type Command, command, type Exit, type Invocation, topicFlag } from './arguments.ts';
import { dismiss, saysWhich } from './dead-dismiss.ts';
import { inWords } from './failure.ts';
import { countOf, cut, plain, progressOf, say, writeOut } from './output.ts';
import { type Tables, withTables } from './tables.ts';

const json = flag({ default: false, help: 'JSON instead of text for people' });
const word = (help: string) => text({ default: '', takes: 'text', help });
const topic = topicFlag;
const reason = {
  ...word('Only of this reason'),
  takes: deadReasons.join(' | '),
  parse: (value: string) => {
    if (value === '' || (deadReasons as readonly string[]).includes(value)) return value;
    throw new Error(`must be ${deadReasons.join(' | ')}, not "${value}"${hintOf(value, deadReasons)}`);
  },
};

const dryRun = flag({ default: false, help: 'Say what would become of them, change nothing' });

/** Each command's own flags; `ugc help dead` prints them. */
export const deadFlags = {
  ls: {
    topic,
    reason,
    limit: integer({ default: 50, min: 1, max: 1_000_000, help: 'At most so many, in the order of the log' }),
    all: flag({ default: false, help: 'Also those that became rows or were dismissed' }),
    json,
  },
  show: { json },
  replay: {
    topic,
    reason,
    dryRun,
    json,
  },
  dismiss: {
    topic,
    reason,
    before: instant({ help: 'Only those given up before this time' }),
    why: word('What to remember of it; ls --all and show tell it'),
    undo: flag({ default: false, help: 'The other way round: dismissed ones are open again' }),
    dryRun,
    json,
  },
} as const satisfies Readonly<Record<string, Settings>>;

/** `judgeFor` makes the judge of foreign records for these settings. */
export const deadCommands = (
  judgeFor: (config: Config) => JudgeForeign,
): Readonly<Record<keyof typeof deadFlags, Command>> => {
  /** `read` is called before the tables are asked for: it throws what is wrong with the words given. */
  const over = <F extends Settings>(
    flags: F,
    placesMax: number,
    read: (invocation: Invocation<F> & { readonly places: readonly LetterPlace[] }) => Run,
  ): Command =>
    command(flags, invocation =>
      inWords(async () => {
        const stray = invocation.args[placesMax];
        if (stray !== undefined) throw wrong(`${stray} is not understood`);
        const run = read({ ...invocation, places: invocation.args.map(readPlace) });
        return withTables(invocation.config, tables =>
          run(lettersIn(tables.client, invocation.config.clickhouseDatabase), tables),
        );
      }),
    );
  const any = Number.POSITIVE_INFINITY;
  return {
    ls: over(
      deadFlags.ls,
      0,
      ({ flags }) =>
        letters =>
          list(letters, flags),
    ),
    show: over(deadFlags.show, 1, ({ places: [place], flags }) => {
      if (place === undefined) throw wrong('show takes the place of a letter, as ls prints it');
      return letters => show(letters, place, flags.json);
    }),
    replay: over(
      deadFlags.replay,
      any,
      ({ places, flags, config }) =>
        (letters, tables) =>
          replayAll({ letters, tables, config, judge: judgeFor(config) }, places, flags),
    ),
    dismiss: over(deadFlags.dismiss, any, ({ places, flags }) => {
      const asked = { ...flags, ...filterOf(flags), places, beforeMs: flags.before };
      if (!saysWhich(asked)) throw wrong('dismiss takes places, --topic, --reason or --before: which letters?');
      return letters => dismiss(letters, asked);
    }),
  };
};

/** Throws `config_invalid`, in words. */
function readPlace(text: string): LetterPlace {
  const place = placeOf(text);
  if (place === null)
    throw wrong(`${text} is no place of a letter, which is topic/partition/position, with @log where it has one`);
  return place;
}

const wrong = (what: string): PipelineError => new PipelineError('config_invalid', `${what}; see ugc help dead`);

type Run = (letters: Letters, tables: Tables) => Promise<Exit>;

/** A flag that was not given narrows nothing. */
const filterOf = (flags: { readonly topic: string; readonly reason: string }) => ({
  topic: flags.topic || undefined,
  reason: flags.reason || undefined,
});

async function list(letters: Letters, flags: Values<typeof deadFlags.ls>): Promise<Exit> {
  const filter = { ...filterOf(flags), state: flags.all ? 'any' : 'open' } as const;
  const found = await letters.find({ ...filter, limit: flags.limit });
  if (flags.json) return write(found.map(letter => `${JSON.stringify(jsonOf(letter))}\n`).join(''));
  const counts = await letters.count(filter);
  const sum = counts.reduce((total, { letters: n }) => total + n, 0);
  const lines = found.map(letter => {
    const fate = fateOf(letter);
    const state = fate === null ? '' : ` (${plain(fate)})`;
    const place = plain(placeText(letter));
    return `${isoOf(letter.failedAtMs)}  ${letter.reason.padEnd(12)}  ${place}${state}\n    ${cut(plain(letter.detail), 160)}\n`;
  });
  const more = sum > found.length ? `, the first ${found.length} above: --limit shows more` : '';
  const kinds = counts.map(({ reason: kind, letters: n }) => `${n} ${kind}`).join(', ');
  return write(`${lines.join('')}${countOf(sum, 'dead letter')}${kinds === '' ? '' : `: ${kinds}`}${more}\n`);
}

async function show(letters: Letters, place: LetterPlace, asJson: boolean): Promise<Exit> {
  const [letter] = await letters.find({ places: [place], state: 'any', limit: 1 });
  if (letter === undefined) {
    say(`ugc: there is no dead letter ${placeText(place)}; see ugc dead ls --all`);
    return 1;
  }
  if (asJson) return write(`${JSON.stringify(jsonOf(letter))}\n`);
  const value = Buffer.from(letter.raw).toString();
  const isText = Buffer.from(value).equals(letter.raw);
  const rows = [
    ['place', placeText(letter)],
    ['reason', letter.reason],
    ['detail', letter.detail],
    ['recorded', isoOf(letter.atMs)],
    ['given up', isoOf(letter.failedAtMs)],
    ['state', fateOf(letter) ?? 'open'],
    ['bytes', `${letter.raw.length}${isText ? '' : ', not text; --json has them in Base64'}`],
  ] as const;
  const head = rows.map(([name, said]) => `${name.padEnd(9)} ${plain(said)}\n`).join('');
  return write(`${head}\n${value.trimEnd().split('\n').map(plain).join('\n')}\n`);
}

interface Replaying {
  readonly tables: Tables;
  readonly letters: Letters;
  readonly config: Config;
  readonly judge: JudgeForeign;
}

async function replayAll(
  { tables, letters, config, judge }: Replaying,
  places: readonly LetterPlace[],
  flags: Values<typeof deadFlags.replay>,
): Promise<Exit> {
  const sink = clickhouseSink({
    client: tables.client,
    database: config.clickhouseDatabase,
    tables: catalogueFor(config).types.map(tableOf),
    migrate: 'off',
    timeoutMs: config.clickhouseTimeoutMs,
    embedded: tables.embedded,
    cluster: config.clickhouseCluster,
  });
  const filter = { ...filterOf(flags), places };
  const progress = progressOf('looked at', 'letters');
  const onProgress = (done: number): void => progress.at(done, 0);
  const replayed = await replay({ letters, sink, judge, filter, dryRun: flags.dryRun, onProgress }).finally(
    progress.end,
  );
  const { looked, rows, stays } = replayed;
  const counts = { rows: Object.fromEntries(rows), stays: Object.fromEntries(stays) };
  return write(
    flags.json
      ? `${JSON.stringify({ dry_run: flags.dryRun, looked, ...counts })}\n`
      : summaryOf(replayed, flags.dryRun),
  );
}

function summaryOf({ looked, rows, stays }: Replayed, isRehearsal: boolean): string {
  const listOf = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, n]) => `    ${String(n).padStart(8)}  ${name}\n`).join('');
  const sumOf = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);
  return (
    `${countOf(looked, 'open dead letter')} looked at\n` +
    `${sumOf(rows)} ${isRehearsal ? 'would be rows now; nothing was changed' : 'are rows now'}\n${listOf(rows)}` +
    `${sumOf(stays)} ${isRehearsal ? 'would stay' : 'stay'} dead letters\n${listOf(stays)}`
  );
}

const jsonOf = (letter: FoundLetter) => ({
  place: placeText(letter),
  topic: letter.topic,
  partition: letter.partition,
  position: letter.position,
  index: letter.index,
  log: letter.log,
  reason: letter.reason,
  detail: letter.detail,
  recorded_at: isoOf(letter.atMs),
  failed_at: isoOf(letter.failedAtMs),
  replayed_at: letter.replayedAtMs === null ? null : isoOf(letter.replayedAtMs),
  dismissed_at: letter.dismissedAtMs === null ? null : isoOf(letter.dismissedAtMs),
  dismissed_why: letter.dismissedWhy,
  raw_base64: Buffer.from(letter.raw).toString('base64'),
});

function write(data: string): 0 {
  writeOut(data);
  return 0;
}
