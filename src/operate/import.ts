// `ugc import <files…>`: events of another system, out of its exports, into the log.
//
// They go where the edge puts its own when a broker is away: to the end of the disk buffer of the data folder, beside a
// running instance or with none, and on from there like every other. Room is left for those who send.

import { existsSync, readFileSync } from 'node:fs';
import { judgeOf } from '../catalogue/judge.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { choice, flag, integer, type Setting, text, type Values } from '../config/kinds.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { Envelope } from '../ports/log.ts';
import { command, type Exit } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import { inWords } from './failure.ts';
import { type Imported, type ImportOptions, importRecord } from './import-event.ts';
import { formatOf, importFormats, recordsOf, stdinName, type TheirRecord } from './import-files.ts';
import { type Mapping, readMapping } from './import-mapping.ts';
import { presetNames, presets } from './import-presets.ts';
import { type ImportTally, newTally, shownTally } from './import-tally.ts';
import { progressOf, say, writeOut } from './output.ts';

/** '' = none. */
function oneOf<const C extends string>(of: readonly C[], help: string): Setting<C | ''> {
  const setting = choice<C>({ default: '', of, help });
  return { ...setting, parse: said => (said === '' ? '' : setting.parse(said)) };
}

export const importFlags = {
  preset: oneOf(presetNames, 'The mapping for exports of this system'),
  mapping: text({ default: '', takes: 'a path', help: 'A mapping of your own: docs/operate/import.md' }),
  showMapping: flag({ default: false, help: 'Print the mapping, to change it; import nothing' }),
  format: oneOf(importFormats, 'Of the files, where their names do not say it'),
  dryRun: flag({ default: false, help: 'Read and judge everything, store nothing' }),
  rejected: text({
    default: '',
    takes: 'a path',
    help: 'Where records that are rejected go, as NDJSON with the reason',
  }),
  skip: integer({
    default: 0,
    min: 0,
    max: 1e12,
    help: 'Begin after this record of the first file, of NDJSON after this line',
  }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};
type Flags = Values<typeof importFlags>;

/** Appended in one transaction: a few milliseconds under the write lock. */
const eventsAtOnce = 1_000;
const bytesAtOnce = 2 ** 20;
const restMs = 3;
const fullRetryMs = 500;
/** Of the disk buffer: less than this left is for those who send. */
const spareShare = 0.25;
/** No age is too old: what is imported has happened long ago. */
const ageMaxDays = 200_000;

export const importCommand = (buffers: Buffers) =>
  command(importFlags, ({ args: files, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      const mapping = mappingOf(flags, config);
      if (flags.showMapping) {
        writeOut(`${JSON.stringify(mapping, null, 2)}\n`);
        return 0;
      }
      if (files.length === 0) throw wrong('it takes files, or - for stdin; see ugc help import');
      const named = files.map(file => ({ file, format: formatOf(file, flags.format) }));
      const missing = files.find(file => file !== stdinName && !existsSync(file));
      if (missing !== undefined) throw wrong(`there is no file ${missing}; nothing was imported`);
      const judge = judgeOf({ ...config, catalogue: catalogueFor(config), eventAgeMaxDays: ageMaxDays });
      const into = flags.dryRun ? null : appenderOf(buffers, config);
      try {
        return await importAll(named, { flags, into, options: { mapping, judge } });
      } finally {
        into?.close();
      }
    }),
  );

const wrong = (message: string): PipelineError => new PipelineError('config_invalid', message);

function mappingOf({ preset, mapping: path }: Flags, config: Config): Mapping {
  if ((preset === '') === (path === ''))
    throw wrong(`say --preset=${presetNames.join(' | ')} or --mapping=a file, one of the two; see ugc help import`);
  const file = path === '' ? `of the preset ${preset}` : path;
  if (path !== '' && !existsSync(path)) throw wrong(`there is no mapping ${path}`);
  const spelt = preset === '' ? readFileSync(path, 'utf8') : JSON.stringify(presets[preset]);
  return readMapping(spelt, file, catalogueFor(config));
}

interface Appender {
  /** Resolved = durable. Waits while the buffer is too full. */
  append(envelopes: readonly Envelope[]): Promise<void>;
  close(): void;
}

function appenderOf(buffers: Buffers, config: Config): Appender {
  let file = buffers.repair(config);
  const spareBytes = config.bufferBytesMax * spareShare;
  let isTold = false;
  return {
    async append(envelopes) {
      while (!appended(envelopes)) {
        if (!isEmptied())
          throw new PipelineError(
            'buffer_full',
            'the disk buffer is full and no instance empties it: start one, and repeat',
          );
        if (!isTold) say('ugc: the disk buffer is filled as far as an import may; going on as it drains');
        isTold = true;
        await Bun.sleep(fullRetryMs);
      }
      await Bun.sleep(restMs);
    },
    close: () => file.close(),
  };

  /** Whether an instance has it open. Our own opening would be taken for one. */
  function isEmptied(): boolean {
    file.close();
    const isInUse = buffers.isInUse(config);
    file = buffers.repair(config);
    return isInUse;
  }

  function appended(envelopes: readonly Envelope[]): boolean {
    try {
      return file.append(envelopes, spareBytes);
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'buffer_full') return false;
      throw error;
    }
  }
}

interface Importing {
  readonly flags: Flags;
  /** Null: nothing is stored. */
  readonly into: Appender | null;
  readonly options: ImportOptions;
}

type Named = readonly { readonly file: string; readonly format: Parameters<typeof recordsOf>[1] }[];

async function importAll(files: Named, importing: Importing): Promise<Exit> {
  const { flags } = importing;
  const tally = newTally();
  const progress = progressOf(flags.dryRun ? 'judged' : 'imported', 'records');
  const rejects = flags.rejected === '' ? null : Bun.file(flags.rejected).writer();
  let waiting: Envelope[] = [];
  let bytes = 0;
  let failure: string | null = null;
  for (const [at, { file, format }] of files.entries()) {
    try {
      await takeAll(file, recordsOf(file, format), at === 0 ? flags.skip : 0);
    } catch (error) {
      failure = `${file}: ${messageOf(error)}${resumeAt(tally, file)}`;
      break;
    }
  }
  progress.end();
  await rejects?.end();
  writeOut(shownTally(tally, { ...flags, failure }));
  if (failure !== null) say(`ugc: ${failure}`);
  return failure === null && tally.rejected === 0 ? 0 : 1;

  /** What was read before the file breaks off is stored. */
  async function takeAll(file: string, all: ReturnType<typeof recordsOf>, skip: number): Promise<void> {
    let last = skip;
    try {
      for await (const records of all) {
        for (const record of records.filter(({ number }) => number > skip)) {
          take(record, file);
          last = record.number;
          if (waiting.length >= eventsAtOnce || bytes >= bytesAtOnce) await store(file, last);
        }
        progress.at(tally.records, 0);
      }
    } catch (error) {
      if (!(error instanceof PipelineError)) await store(file, last); // it was not the buffer
      throw error;
    }
    await store(file, last);
  }

  function take(record: TheirRecord, file: string): void {
    const imported = importedFrom(record, importing.options);
    tally.look(record, file, imported);
    if (imported.outcome === 'rejected') {
      const { reason, detail } = imported;
      rejects?.write(`${JSON.stringify({ file, record: record.number, reason, detail, given: record.spelling })}\n`);
    }
    if (imported.outcome !== 'taken') return;
    waiting.push(imported.envelope);
    bytes += imported.envelope.body.length;
  }

  async function store(file: string, last: number): Promise<void> {
    if (waiting.length > 0) await importing.into?.append(waiting);
    for (const { type } of waiting) tally.take(type);
    [waiting, bytes] = [[], 0];
    tally.reached(file, last);
  }
}

const importedFrom = ({ problem, value, spelling }: TheirRecord, options: ImportOptions): Imported =>
  problem === null
    ? importRecord(value, spelling, options)
    : { outcome: 'rejected', reason: 'unreadable', detail: problem };

function resumeAt({ last }: ImportTally, file: string): string {
  const done = last?.file === file ? last.number : 0;
  return `; what came before is in, and repeating it makes no second row. Go on with this file and those after it, --skip=${done}`;
}
