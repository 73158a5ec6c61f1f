// How long topics keep records that every subscription has passed: what is deleted elsewhere lies there as long.

import { PipelineError } from '../../../errors.ts';
import { pulsarAdmin } from '../connect/admin.ts';
import { type PulsarOptions, pulsarDefaults } from '../connect/options.ts';

export interface TopicRetention {
  readonly topic: string;
  /** 0 = no longer than that; `unlimited`; or null: this token may not ask. */
  readonly keepsMs: number | 'unlimited' | null;
}

/** Of those of the topics that are there. Rejects with a PipelineError where Pulsar cannot be asked. */
export async function retentionOf(given: PulsarOptions, topics: readonly string[]): Promise<readonly TopicRetention[]> {
  const admin = pulsarAdmin({ ...pulsarDefaults, ...given });
  const found = await Promise.all(
    topics.map(async topic => {
      if ((await admin.partitions(topic)) === null) return [];
      const keepsMs = await admin.keepsMs(topic).catch((error: unknown) => {
        if (error instanceof PipelineError && error.code === 'log_halted') return null;
        throw error;
      });
      return [{ topic, keepsMs }];
    }),
  );
  return found.flat();
}
