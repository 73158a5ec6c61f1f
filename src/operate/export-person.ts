// `ugc export-person`: all there is of a person, a JSON object a line: from the content store, from every table of events
// as its readers see it, and dead letters with their bytes. `place` says where a line is from.
//
// A file is written beside and moved into its place once it is whole. With exit code 1 something was left out, stderr says
// what.

import { lettersIn } from '../adapters/clickhouse/ask/letters.ts';
import { type PersonIds, personIn } from '../adapters/clickhouse/ask/person.ts';
import type { Config } from '../config/config.ts';
import { text } from '../config/kinds.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { isoOf } from '../process/clock.ts';
import { growingFile } from '../process/file.ts';
import { command, type Exit } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import type { ContentOf } from './content-rebuild.ts';
import { inWords } from './failure.ts';
import { countOf, progressOf, say, writeOut } from './output.ts';
import { heldInBuffer, personFlags, readPerson } from './person.ts';
import { type Tables, withTables } from './tables.ts';

export const exportPersonFlags = {
  ...personFlags,
  output: text({
    default: '',
    takes: 'a path',
    help: 'Into this file, for the eyes of its owner alone, instead of stdout',
  }),
};

export interface ExportingPerson {
  readonly buffers: Pick<Buffers, 'path' | 'read'>;
  readonly contentOf: ContentOf;
}

export const exportPersonCommand = ({ buffers, contentOf }: ExportingPerson) =>
  command(exportPersonFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      const person = readPerson(flags);
      if (args.length > 0 || person === null) {
        const why =
          args[0] === undefined
            ? 'export-person takes --user-id=… or --anonymous-id=…'
            : `${args[0]} is not understood`;
        say(`ugc: ${why}; see ugc help export-person`);
        return 2;
      }
      const output = flags.output === '' ? toStdout() : toFile(flags.output);
      let problems = 0;
      const from = async (place: string, act: () => Promise<void>): Promise<void> => {
        try {
          await act();
        } catch (error) {
          if (!(error instanceof PipelineError)) throw error;
          problems++;
          say(`ugc: left out ${place}: ${messageOf(error).trim()}`);
        }
      };
      const progress = progressOf('exported', 'lines');
      const write: Write = (place, row) => progress.at(output.write(`${JSON.stringify({ place, ...row })}\n`), 0);
      try {
        await from('the content store', () => fromContent(person, config, contentOf, write));
        await from('ClickHouse', () => withTables(config, ({ client }) => fromTables(client, person, config, write)));
        await from('the disk buffer', async () => {
          const { waiting } = heldInBuffer(person, config, buffers);
          if (waiting === 0) return;
          throw new PipelineError('conflict', `${countOf(waiting, 'event')} wait to become rows; repeat it later`);
        });
        const lines = output.end();
        progress.end();
        say(`exported ${countOf(lines, 'line')}`);
      } catch (error) {
        output.discard();
        throw error;
      }
      return problems > 0 ? 1 : 0;
    }),
  );

type Write = (place: string, row: Readonly<Record<string, unknown>>) => void;

interface Output {
  /** Resolves with how many lines there are by now. */
  write(line: string): number;
  /** How many lines there are. */
  end(): number;
  discard(): void;
}

function toStdout(): Output {
  let lines = 0;
  return {
    write(line) {
      writeOut(line);
      return ++lines;
    },
    end: () => lines,
    discard: () => {},
  };
}

/** Throws `config_invalid` when it cannot be written. */
function toFile(path: string): Output {
  const said = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw new PipelineError('config_invalid', `--output cannot be written: ${messageOf(error)}`);
    }
  };
  const file = said(() => growingFile(path));
  let lines = 0;
  return {
    write(line) {
      said(() => file.write(line));
      return ++lines;
    },
    end() {
      said(file.end);
      return lines;
    },
    discard: file.discard,
  };
}

async function fromContent({ users }: PersonIds, config: Config, contentOf: ContentOf, write: Write): Promise<void> {
  const store = await contentOf(config);
  if (store === null) return;
  try {
    for (const user of users)
      for await (const rows of store.person(user)) for (const { kind, ...row } of rows) write(`content/${kind}`, row);
  } finally {
    await store.close();
  }
}

/** Of one table at a time only the ids are held. */
const rowsAtOnce = 1_000;

async function fromTables(
  client: Tables['client'],
  person: PersonIds,
  { clickhouseDatabase: database }: Config,
  write: Write,
): Promise<void> {
  const found = personIn(client, database, person);
  for (const table of await found.tables()) {
    const ids = await found.ids(table);
    for (let at = 0; at < ids.length; at += rowsAtOnce)
      for (const row of await found.rows(table, ids.slice(at, at + rowsAtOnce))) write(`table/${table.type}`, { row });
  }
  const letters = lettersIn(client, database);
  const keys = await found.letters();
  for (const { position, ...key } of keys) {
    const places = [{ ...key, position: Number(position) }];
    for (const letter of await letters.find({ places, state: 'any', limit: 1 })) {
      const { raw, topic, partition, reason, detail, failedAtMs } = letter;
      const bytes = Buffer.from(raw);
      const value = bytes.toString();
      const isText = Buffer.from(value).equals(bytes);
      write('dead_letter', {
        ...{ topic, partition, position, reason, detail, failed_at: isoOf(failedAtMs) },
        ...(isText ? { raw: value } : { raw_base64: bytes.toString('base64') }),
      });
    }
  }
}
