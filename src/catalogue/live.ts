// The event types in force, and what is made of them: the judges, the topics, the tables. Types from files may come while
// the process runs; then, one after the other: the tables are made, the topics, and the edge takes their events.

import { catalogue as builtIn, type Catalogue } from '../../schemas/catalogue.ts';
import { ledgerTable } from '../../schemas/ledger.ts';
import { rejectionsTable } from '../../schemas/rejections.ts';
import { tableOf } from '../../schemas/table.ts';
import type { Config } from '../config/config.ts';
import type { JudgeForeign } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { typesFolder } from '../process/instance.ts';
import type { Logger } from '../process/telemetry.ts';
import { foreignJudgeOf } from './foreign.ts';
import { type Judge, judgeOf } from './judge.ts';
import { type KnownTypes, runTimeTypes } from './run-time-types.ts';
import { type Topics, topicOfType, topicsOf } from './topics.ts';

export interface LiveCatalogue {
  readonly judge: Judge;
  readonly judgeForeign: JudgeForeign;
  /** What the edge takes; another object once it has changed. */
  accepted(): Catalogue;
  /** Names of the types there are tables for. */
  names(): readonly string[];
  tables(): readonly TableDefinition[];
  topics(): Topics;
  /** Where events of a type go just now; null = this process does not know the type. */
  topicOf(type: string): string | null;
  /** In words why the files are not what is in force, or null. */
  problem(): string | null;
  /** Takes part in changes from now on. */
  join(part: ChangePart): void;
  /** Looks at the files now and then, from now on. */
  watch(): void;
  /** Looks at the files now. */
  look(): void;
  close(): Promise<void>;
}

/** Who has something to do before events of a new type are taken. */
export interface ChangePart {
  /** Rejects, and then nothing changes. */
  prepare?(change: Change): Promise<void>;
  /** All are prepared. */
  apply?(change: Change): void;
}

export interface Change {
  readonly tables: readonly TableDefinition[];
  readonly topics: Topics;
  /** Topics to read that were not read before. */
  readonly hasNewTopics: boolean;
}

/** Throws `config_invalid`: files that cannot be taken with nothing kept to go on with, or streams that share a topic. */
export function liveCatalogue(config: Config, logger: Logger): LiveCatalogue {
  const { schemasDir: folder, dataDir } = config;
  const types = runTimeTypes({ folder, keptIn: typesFolder(dataDir), builtIn, logger });
  const parts: ChangePart[] = [];
  let topics = topicsOf(config, types.known().all);
  let judges = judgesOf(config, types.known());

  async function change(known: KnownTypes): Promise<void> {
    const before = topics;
    topics = topicsOf(config, known.all);
    const hasNewTopics = topics.read.some(topic => !before.read.includes(topic));
    const change: Change = { tables: tablesOf(known.all), topics, hasNewTopics };
    try {
      for (const part of parts) await part.prepare?.(change);
    } catch (error) {
      topics = before;
      throw error;
    }
    for (const part of parts) part.apply?.(change);
    judges = judgesOf(config, known);
  }

  return {
    judge: (event, origin) => judges.judge(event, origin),
    judgeForeign: (record, place) => judges.judgeForeign(record, place),
    accepted: () => types.known().accepted,
    names: () => types.known().all.types.map(({ name }) => name),
    tables: () => tablesOf(types.known().all),
    topics: () => topics,
    topicOf: type => topicOfType(config, types.known().all, type),
    problem: types.problem,
    join: part => void parts.push(part),
    watch: () => types.watch(change),
    look: types.look,
    close: types.close,
  };
}

const judgesOf = (config: Config, { accepted, all }: KnownTypes) => ({
  judge: judgeOf({ ...config, catalogue: accepted }),
  judgeForeign: foreignJudgeOf({ ...config, catalogue: all }),
});

/** Of every type, and of what is no type. */
const tablesOf = ({ types }: Catalogue): readonly TableDefinition[] => [
  ...types.map(tableOf),
  ledgerTable,
  rejectionsTable,
];
