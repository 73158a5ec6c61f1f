// UGC_SCHEMAS_DIR: event types that are files, read as a whole. Either every file is a type and all of them fit together,
// or there are problems and no types.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { aggregates } from '../../schemas/aggregates.ts';
import { type Catalogue, catalogue, catalogueWithPast } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import { type FileProblem, type FromFile, typeFromFile } from '../../schemas/from-file.ts';
import { ledgerType } from '../../schemas/ledger.ts';
import { rejectionsType } from '../../schemas/rejections.ts';
import { topicOf } from '../../schemas/topic.ts';
import type { Config } from '../config/config.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { stampOfFile } from '../process/file.ts';
import { typesFolder } from '../process/instance.ts';

export interface TypeFile {
  /** Of the file, in its folder. */
  readonly file: string;
  readonly text: string;
  readonly type: EventType;
  /** What of it is taken and not held to, or is missing, in words with its place. */
  readonly warnings: readonly string[];
}

export type TypeFolder =
  | { readonly ok: true; readonly files: readonly TypeFile[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * For commands: the built-in types, those of the files, and those the data folder remembers. Throws `config_invalid` with
 * every problem of the files.
 */
export function catalogueFor({ schemasDir, dataDir }: Config): Catalogue {
  const own = schemasDir === '' ? [] : typesIn(schemasDir);
  const { files } = keptTypes(typesFolder(dataDir), catalogue);
  return catalogueWithPast(
    [...catalogue.types, ...own],
    files.map(({ type }) => type),
  );
}

/** Topics of all of them. */
export const topicsFor = (config: Config): readonly string[] => [
  ...new Set(catalogueFor(config).types.map(type => topicOf(config.topic, type))),
];

/** Of the files of these types. */
export function warningsFor({ schemasDir }: Config, types: readonly EventType[]): readonly string[] {
  const read = schemasDir === '' ? null : typeFolder(schemasDir, catalogue).read();
  const asked = new Set(types.map(({ name }) => name));
  return read?.ok ? read.files.filter(({ type }) => asked.has(type.name)).flatMap(({ warnings }) => warnings) : [];
}

function typesIn(folder: string): readonly EventType[] {
  const read = typeFolder(folder, catalogue).read();
  if (read.ok) return read.files.map(({ type }) => type);
  throw new PipelineError('config_invalid', `the event types in ${folder} are broken:\n${read.problems.join('\n')}`);
}

/**
 * What the data folder remembers of types once taken: each file by itself, for a new ugc may have a type of that name.
 */
export function keptTypes(
  folder: string,
  builtIn: Catalogue,
): { readonly files: readonly TypeFile[]; readonly problems: readonly string[] } {
  const files: TypeFile[] = [];
  const problems: string[] = [];
  for (const file of existsSync(folder) ? namesIn(folder) : []) {
    const text = textOf(join(folder, file));
    const result = typeFromFile(text);
    if (!result.ok) problems.push(...result.problems.map(problem => wordsOf(file, problem)));
    else if (clashesOf([...files, fileOf(file, text, result)], builtIn).length > 0)
      problems.push(`${file} has a name that is taken`);
    else files.push(fileOf(file, text, result));
  }
  return { files, problems };
}

const fileOf = (file: string, text: string, { type, warnings }: FromFile & { readonly ok: true }): TypeFile => ({
  file,
  text,
  type,
  warnings: warnings.map(warning => wordsOf(file, warning)),
});

const wordsOf = (file: string, { line, pointer, message }: FileProblem): string =>
  `${file}:${line} ${`${pointer} ${message}`.trim()}`;

const filesMax = 1_000;
const fileBytesMax = 1024 * 1024;

export interface TypeFolderReader {
  /** What the folder holds now. A file whose text is what it was is the type it was. */
  read(): TypeFolder;
  /** Changes when a file does, as far as the file system tells. Null when the folder cannot be read. */
  stamp(): string | null;
}

/** `before` has been read elsewhere. */
export function typeFolder(folder: string, builtIn: Catalogue, before: Iterable<TypeFile> = []): TypeFolderReader {
  let known = new Map([...before].map((file): [string, TypeFile] => [file.text, file]));

  function read(): TypeFolder {
    const files: TypeFile[] = [];
    const problems: string[] = [];
    for (const file of namesIn(folder)) {
      const text = textOf(join(folder, file));
      const made = known.get(text);
      const result = made === undefined ? typeFromFile(text) : null;
      if (result === null) files.push({ ...made!, file });
      else if (result.ok) files.push(fileOf(file, text, result));
      else problems.push(...result.problems.map(problem => wordsOf(file, problem)));
    }
    problems.push(...clashesOf(files, builtIn));
    if (problems.length > 0) return { ok: false, problems };
    known = new Map(files.map(file => [file.text, file]));
    return { ok: true, files };
  }

  return {
    read: () => {
      try {
        return read();
      } catch (error) {
        return { ok: false, problems: [messageOf(error)] };
      }
    },
    stamp: () => {
      try {
        return namesIn(folder)
          .map(file => `${file} ${stampOfFile(join(folder, file))}`)
          .join('\n');
      } catch {
        return null;
      }
    },
  };
}

function namesIn(folder: string): string[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.json') && !name.startsWith('.'));
  if (names.length > filesMax) throw new Error(`${folder} holds more than ${filesMax} files`);
  return names.toSorted();
}

function textOf(path: string): string {
  if (statSync(path).size > fileBytesMax) throw new Error(`${path} is larger than ${fileBytesMax} bytes`);
  return readFileSync(path, 'utf8');
}

/** Tables and views that are no type's. */
const reserved = new Set(['events', 'dead_letters', ledgerType, rejectionsType, ...aggregates.map(({ name }) => name)]);

function clashesOf(files: readonly TypeFile[], builtIn: Catalogue): string[] {
  const owner = new Map<string, string>();
  return files.flatMap(({ file, type }) =>
    [type.name, ...type.aliases].flatMap(name => {
      const other = builtIn.find(name) === undefined ? owner.get(name) : 'ugc itself';
      owner.set(name, file);
      if (other !== undefined) return [`${file} /name ${name} is an event type of ${other} already`];
      if (reserved.has(name) || /_(rows|local|check)$/.test(name))
        return [`${file} /name ${name} is the name of another table`];
      return [];
    }),
  );
}
