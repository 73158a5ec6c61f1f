// What happens when the types of the files change while the process runs: tables first, then topics, then the edge takes
// their events. Wiring only.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { ledgerTable } from '../../schemas/ledger.ts';
import { tableOf } from '../../schemas/table.ts';
import type { Config } from '../config/config.ts';
import type { TableDefinition } from '../ports/ports.ts';
import type { KafkaEdge } from '../roles/kafka.ts';
import type { Storage } from '../roles/storage.ts';
import type { Judges } from './judges.ts';
import type { RunTimeTypes } from './run-time-types.ts';
import { type Topics, topicsOf } from './topics.ts';

/** Of every type, and of what is no type. */
export const tablesOf = ({ types }: Catalogue): readonly TableDefinition[] => [...types.map(tableOf), ledgerTable];

export interface LiveTopics {
  now(): Topics;
  set(topics: Topics): void;
}

/** Throws `config_invalid`, see topicsOf. */
export function liveTopics(config: Config, known: Catalogue): LiveTopics {
  let topics = topicsOf(config, known);
  return {
    now: () => topics,
    set: next => {
      topics = next;
    },
  };
}

export interface Following {
  readonly config: Config;
  readonly types: RunTimeTypes;
  readonly judges: Judges;
  readonly topics: LiveTopics;
  readonly storage: Storage | null;
  readonly kafka: KafkaEdge | null;
}

export function followTypes({ config, types, judges, topics, storage, kafka }: Following): void {
  types.watch(async known => {
    const before = topics.now();
    topics.set(topicsOf(config, known.all));
    const { read, written } = topics.now();
    const reopen = config.kafkaBrokers !== '' && read.some(topic => !before.read.includes(topic));
    try {
      await storage?.define(tablesOf(known.all), reopen);
    } catch (error) {
      topics.set(before);
      throw error;
    }
    kafka?.want(written);
    judges.renew(known);
  });
  if (config.schemasDir !== '') process.on('SIGHUP', () => types.look());
}
