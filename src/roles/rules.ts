// The operator's rules, live: read again when their file changes, counted, and the topics they divert to made.

import type { Config } from '../config/config.ts';
import { rulesOf } from '../door/rules/rules.ts';
import { readRules, type StoredRule } from '../door/rules/rules-file.ts';
import type { Ruling } from '../ingest/ruled.ts';
import { type LiveFile, liveFile } from '../process/file.ts';
import { rulesFile } from '../process/instance.ts';
import { orRefused } from './or-refused.ts';
import type { Parts } from './role.ts';

export interface LiveRules {
  /** As they are just now; null = there are none. */
  now(): Ruling | null;
  problem(): string | null;
  close(): void;
}

export const rulesFileOf = ({ rulesPath: given, dataDir }: Pick<Config, 'rulesPath' | 'dataDir'>): string =>
  given === '' ? rulesFile(dataDir) : given;

/** Throws `config_invalid` when the file is there and wrong: nobody knows then what is wanted. */
export function openRules({ config, catalogue, transport, log, metrics, logger }: Parts): LiveRules {
  const path = rulesFileOf(config);
  const onRuled = (rule: string): void => metrics.ruled.add(rule);
  function watched(): LiveFile<Live> {
    const onChange = ({ stored }: Live): void => wantTopics(stored);
    return orRefused('the rules', () => liveFile({ path, read, what: 'rules', logger, onChange }));
  }

  function read(): Live {
    const stored = readRules(path);
    const diverting = stored.filter(({ topic }) => topic !== undefined);
    if (transport === null && diverting.length > 0)
      throw new Error(`${path}: the rule ${diverting[0]!.id} diverts to a topic, which needs a broker (UGC_TRANSPORT)`);
    const own = new Set(catalogue.topics().written);
    const looping = diverting.find(({ topic }) => own.has(topic!));
    if (looping !== undefined)
      throw new Error(`${path}: the rule ${looping.id} diverts to ${looping.topic}, which is read for rows`);
    const rules = rulesOf(stored);
    return { stored, ruling: rules === null ? null : { rules, onRuled } };
  }

  const wantTopics = (stored: readonly StoredRule[]): void => log?.want(stored.flatMap(({ topic }) => topic ?? []));

  const file = watched();
  wantTopics(file.value.stored);
  return { now: () => file.value.ruling, problem: file.problem, close: file.close };
}

interface Live {
  readonly stored: readonly StoredRule[];
  readonly ruling: Ruling | null;
}
