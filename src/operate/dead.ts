// `ugc dead ls|show|replay`: the records that could not become rows, and what becomes of them after a repair.

import { parseArgs } from 'node:util';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { type FoundLetter, type LetterPlace, type Letters, lettersIn } from '../adapters/clickhouse/letters.ts';
import { clickhouseSink } from '../adapters/clickhouse/sink.ts';
import type { Config } from '../config.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { hintOf } from '../nearest.ts';
import { deadReasons, type JudgeForeign } from '../ports.ts';
import { type Replayed, replay } from './replay.ts';
import { type Tables, withTables } from './tables.ts';

type Exit = 0 | 1 | 2;

/** Flags of its own; the rest of what was typed after `dead`, without settings. */
export const deadFlags = {
  topic: { type: 'string' },
  reason: { type: 'string' },
  limit: { type: 'string', default: '50' },
  all: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const words = ['ls', 'show', 'replay'] as const;
type Word = (typeof words)[number];

interface Asked {
  readonly word: Word;
  readonly place: LetterPlace | undefined;
  readonly topic: string | undefined;
  readonly reason: string | undefined;
  readonly limit: number;
  readonly all: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `judgeFor` makes the judge of foreign records for these settings. */
export const deadCommand =
  (judgeFor: (config: Config) => JudgeForeign) =>
  async (args: readonly string[], config: Config): Promise<Exit> => {
    const asked = read(args);
    if (typeof asked === 'string') {
      process.stderr.write(`ugc: ${asked}; see ugc help dead\n`);
      return 2;
    }
    try {
      return await withTables(config, async tables => {
        const letters = lettersIn(tables.client, config.clickhouseDatabase);
        if (asked.word === 'ls') return list(letters, asked);
        if (asked.word === 'show') return show(letters, asked);
        return replayAll({ tables, letters, config, judge: judgeFor(config) }, asked);
      });
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      process.stderr.write(`ugc: ${messageOf(error).trim()}\n`);
      return error.code === 'config_invalid' ? 2 : 1;
    }
  };

/** What is asked for, or what is wrong with it. */
function read(args: readonly string[]): Asked | string {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: deadFlags, allowPositionals: true });
    const [word = '', named, stray] = positionals;
    if (!(words as readonly string[]).includes(word))
      return word === '' ? `dead takes one of ${words.join(', ')}` : `there is no dead ${word}${hintOf(word, words)}`;
    if (stray !== undefined) return `${stray} is not understood`;
    const place = named === undefined ? undefined : readPlace(named);
    if (place === null) return `${named} is no place of a letter, which is topic/partition/position`;
    if (word === 'show' && place === undefined) return 'show takes the place of a letter, as ls prints it';
    const { reason } = values;
    if (reason !== undefined && !(deadReasons as readonly string[]).includes(reason))
      return `there is no reason ${reason}${hintOf(reason, deadReasons)}: it is one of ${deadReasons.join(', ')}`;
    const limit = Number(values.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1e6) return '--limit takes a whole number from 1 to 1000000';
    const { topic, all, json, 'dry-run': dryRun } = values;
    return { word: word as Word, place, topic, reason, limit, all, dryRun, json };
  } catch (error) {
    return messageOf(error); // of parseArgs: which option, and why
  }
}

/** topic/partition/position, and +index where the position is a whole batch's. */
function readPlace(text: string): LetterPlace | null {
  const match = /^(.+)\/(\d{1,10})\/(\d{1,16})(?:\+(\d{1,9}))?$/.exec(text);
  if (!match) return null;
  const [, topic, partition, position, index = '0'] = match;
  return { topic: topic!, partition: Number(partition), position: Number(position), index: Number(index) };
}

const placeText = ({ topic, partition, position, index }: LetterPlace): string =>
  `${topic}/${partition}/${position}${index === 0 ? '' : `+${index}`}`;

async function list(letters: Letters, asked: Asked): Promise<Exit> {
  const found = await letters.find(asked);
  if (asked.json) return write(found.map(letter => `${JSON.stringify(jsonOf(letter))}\n`).join(''));
  const counts = await letters.count(asked);
  const sum = counts.reduce((total, { letters: n }) => total + n, 0);
  const lines = found.map(letter => {
    const state = letter.replayedAtMs === null ? '' : ` (a row since ${isoOf(letter.replayedAtMs)})`;
    return `${isoOf(letter.failedAtMs)}  ${letter.reason.padEnd(12)}  ${plain(placeText(letter))}${state}\n    ${cut(plain(letter.detail), 160)}\n`;
  });
  const more = sum > found.length ? `, the first ${found.length} above: --limit shows more` : '';
  const kinds = counts.map(({ reason, letters: n }) => `${n} ${reason}`).join(', ');
  return write(
    `${lines.join('')}${sum} dead letter${sum === 1 ? '' : 's'}${kinds === '' ? '' : `: ${kinds}`}${more}\n`,
  );
}

async function show(letters: Letters, { place, json }: Asked): Promise<Exit> {
  const [letter] = await letters.find({ place, all: true, limit: 1 });
  if (letter === undefined) {
    process.stderr.write(`ugc: there is no dead letter ${placeText(place!)}; see ugc dead ls --all\n`);
    return 1;
  }
  if (json) return write(`${JSON.stringify(jsonOf(letter))}\n`);
  const text = Buffer.from(letter.raw).toString();
  const isText = Buffer.from(text).equals(letter.raw);
  const rows = [
    ['place', placeText(letter)],
    ['reason', letter.reason],
    ['detail', letter.detail],
    ['recorded', isoOf(letter.atMs)],
    ['given up', isoOf(letter.failedAtMs)],
    ['replayed', letter.replayedAtMs === null ? 'no' : isoOf(letter.replayedAtMs)],
    ['bytes', `${letter.raw.length}${isText ? '' : ', not text; --json has them in Base64'}`],
  ] as const;
  const head = rows.map(([name, value]) => `${name.padEnd(9)} ${plain(value)}\n`).join('');
  return write(`${head}\n${plain(text.trimEnd())}\n`);
}

interface Replaying {
  readonly tables: Tables;
  readonly letters: Letters;
  readonly config: Config;
  readonly judge: JudgeForeign;
}

async function replayAll({ tables, letters, config, judge }: Replaying, asked: Asked): Promise<Exit> {
  const { place, topic, reason, dryRun, json } = asked;
  const sink = clickhouseSink({
    client: tables.client,
    database: config.clickhouseDatabase,
    tables: catalogue.types.map(tableOf),
    migrate: 'off',
    timeoutMs: config.clickhouseTimeoutMs,
    embedded: tables.embedded,
  });
  const isTerminal = process.stderr.isTTY === true;
  const onProgress = (done: number): void => {
    if (isTerminal) process.stderr.write(`\r\u001b[Klooked at ${done}`);
  };
  const replayed = await replay({ letters, sink, judge, filter: { place, topic, reason }, dryRun, onProgress });
  if (isTerminal) process.stderr.write('\r\u001b[K');
  const { looked, rows, stays } = replayed;
  if (json)
    return write(
      `${JSON.stringify({ dry_run: dryRun, looked, rows: Object.fromEntries(rows), stays: Object.fromEntries(stays) })}\n`,
    );
  return write(summaryOf(replayed, dryRun));
}

function summaryOf({ looked, rows, stays }: Replayed, dryRun: boolean): string {
  const listOf = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, n]) => `    ${String(n).padStart(8)}  ${name}\n`).join('');
  const sumOf = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((sum, n) => sum + n, 0);
  return (
    `${looked} open dead letters looked at\n` +
    `${sumOf(rows)} ${dryRun ? 'would be rows now; nothing was changed' : 'are rows now'}\n${listOf(rows)}` +
    `${sumOf(stays)} ${dryRun ? 'would stay' : 'stay'} dead letters\n${listOf(stays)}`
  );
}

const jsonOf = (letter: FoundLetter) => ({
  place: placeText(letter),
  topic: letter.topic,
  partition: letter.partition,
  position: letter.position,
  index: letter.index,
  reason: letter.reason,
  detail: letter.detail,
  recorded_at: isoOf(letter.atMs),
  failed_at: isoOf(letter.failedAtMs),
  replayed_at: letter.replayedAtMs === null ? null : isoOf(letter.replayedAtMs),
  raw_base64: Buffer.from(letter.raw).toString('base64'),
});

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Bytes of a stranger on a terminal: no control characters, so nothing of it is obeyed. Lines stay lines. */
const plain = (text: string): string => text.replace(/[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').toWellFormed();

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

async function write(text: string): Promise<0> {
  await Bun.write(Bun.stdout, text); // whole: a reader that has seen enough (head) may close the pipe
  return 0;
}
