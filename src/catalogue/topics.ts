// Which topics a process writes to and reads from.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { ledgerTopic, ledgerType } from '../../schemas/ledger.ts';
import { topicOf } from '../../schemas/topic.ts';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';

export interface Topics {
  readonly written: readonly string[];
  /** By the etl role: those of the streams it moves. */
  readonly read: readonly string[];
}

/** Throws `config_invalid` when streams are to be moved apart that share a topic. */
export function topicsOf({ topic: pattern, streams, ledger }: Config, { types }: Catalogue): Topics {
  const byTopic = Map.groupBy(types, type => topicOf(pattern, type));
  const moves = (stream: string): boolean => streams.includes('all') || streams.some(name => name === stream);
  for (const [topic, sharing] of byTopic) {
    const own = sharing.filter(({ stream }) => moves(stream));
    if (own.length > 0 && own.length < sharing.length)
      throw new PipelineError(
        'config_invalid',
        `UGC_STREAMS=${streams.join(',')}: the topic ${topic} holds other streams too (${[...new Set(sharing.map(({ stream }) => stream))].join(', ')}); keep them apart with UGC_TOPIC, e.g. ugc.{stream}`,
      );
  }
  // Of no stream: a process that moves any of them moves it.
  const ledgerTopics = ledger ? [ledgerTopic(pattern)] : [];
  const read = [...byTopic].filter(([, [first]]) => moves(first!.stream)).map(([topic]) => topic);
  return {
    written: [...new Set([...byTopic.keys(), ...ledgerTopics])],
    read: [...new Set([...read, ...ledgerTopics])],
  };
}

/** Where events of a type, or entries of the ledger, go; null when there is no such type. */
export function topicOfType({ topic: pattern }: Config, { types }: Catalogue, name: string): string | null {
  if (name === ledgerType) return ledgerTopic(pattern);
  const type = types.find(known => known.name === name);
  return type === undefined ? null : topicOf(pattern, type);
}
