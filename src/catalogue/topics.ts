// Which topics a process writes to and reads from.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { ledgerTopic, ledgerType } from '../../schemas/ledger.ts';
import { rejectionsTopic, rejectionsType } from '../../schemas/rejections.ts';
import { topicOf } from '../../schemas/topic.ts';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';

export interface Topics {
  readonly written: readonly string[];
  /** By the etl role: those of the streams it moves. */
  readonly read: readonly string[];
}

/** Throws `config_invalid` when streams are to be moved apart that share a topic. */
export function topicsOf(config: Config, { types }: Catalogue): Topics {
  const { topic: pattern, streams, ledger, rejectionsSeconds } = config;
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
  // Of no stream: a process that moves any of them moves these.
  const own = [...(ledger ? [ledgerTopic(pattern)] : []), ...(rejectionsSeconds > 0 ? [rejectionsTopic(pattern)] : [])];
  const read = [...byTopic].filter(([, [first]]) => moves(first!.stream)).map(([topic]) => topic);
  return {
    written: [...new Set([...byTopic.keys(), ...own])],
    read: [...new Set([...read, ...own])],
  };
}

/** Where events of a type, or what is no event type, go; null when there is no such type. */
export function topicOfType({ topic: pattern }: Config, { types }: Catalogue, name: string): string | null {
  if (name === ledgerType) return ledgerTopic(pattern);
  if (name === rejectionsType) return rejectionsTopic(pattern);
  const type = types.find(known => known.name === name);
  return type === undefined ? null : topicOf(pattern, type);
}
