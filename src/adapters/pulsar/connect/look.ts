// A Pulsar looked at and left as it is.

import { pulsarAdmin } from './admin.ts';
import { type PulsarOptions, pulsarDefaults } from './options.ts';

export interface PulsarLook {
  readonly about: string;
  readonly missing: readonly string[];
  /** Records the subscription has not passed. */
  readonly behind: number;
}

/** Each request is given up after this, so that all of them are over while somebody waits. */
const requestTimeoutMs = 3_000;
/** Asked at once. */
const together = 8;

/** Rejects with a PipelineError where it does not answer, or does not let the token in. */
export async function lookAtPulsar(
  given: PulsarOptions,
  topics: readonly string[],
  subscription: string,
): Promise<PulsarLook> {
  const admin = pulsarAdmin({ ...pulsarDefaults, ...given, requestTimeoutMs });
  const missing: string[] = [];
  let behind = 0;
  const look = async (topic: string): Promise<void> => {
    if ((await admin.partitions(topic)) === null) return void missing.push(topic);
    for (const { backlog } of (await admin.states(topic, subscription)).values()) behind += backlog;
  };
  for (let at = 0; at < topics.length; at += together) await Promise.all(topics.slice(at, at + together).map(look));
  return { about: `Pulsar at ${given.url} answers, namespace ${given.namespace}`, missing, behind };
}
