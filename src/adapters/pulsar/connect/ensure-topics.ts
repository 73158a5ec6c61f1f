// The topics must be there before anything is written to them, each with the mover's subscription: Pulsar keeps a record only
// while some subscription has not passed it, so what is written to a topic without one is gone at once.

import { PipelineError } from '../../../errors.ts';
import { type Admin, pulsarAdmin } from './admin.ts';
import { type PulsarOptions, pulsarDefaults } from './options.ts';

export interface TopicShape {
  readonly partitions: number;
  readonly subscription: string;
  /** Whether we may create any; otherwise what is missing is a `log_halted`. */
  readonly create?: boolean;
}

/** Resolves with the topics it created. Rejects with a PipelineError: `log_halted` names the commands to run. */
export async function ensureTopics(
  given: PulsarOptions,
  wanted: readonly string[],
  { partitions, subscription, create = true }: TopicShape,
): Promise<readonly string[]> {
  const options = { ...pulsarDefaults, ...given };
  const admin = pulsarAdmin(options);
  const created: string[] = [];
  const missing: string[] = [];
  for (const topic of wanted) {
    const full = `persistent://${options.namespace}/${topic}`;
    const subscribe = `pulsar-admin topics create-subscription ${full} --subscription ${subscription} --messageId earliest`;
    const found = await subscriptionsOf(admin, topic);
    if (found?.includes(subscription)) continue;
    if (found === null) missing.push(`pulsar-admin topics create-partitioned-topic ${full} --partitions ${partitions}`);
    missing.push(subscribe);
    if (!create) continue;
    try {
      if (found === null && (await admin.createTopic(topic, partitions))) created.push(topic);
      await admin.subscribe(topic, subscription, 'earliest');
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'log_halted') throw error;
      throw new PipelineError('log_halted', `${error.message}; an operator who may runs: ${missing.join('; ')}`);
    }
  }
  if (!create && missing.length > 0)
    throw new PipelineError('log_halted', `Pulsar lacks topics or subscriptions; run: ${missing.join('; ')}`);
  return created;
}

/** Those that every partition has; null where there is no such topic. */
async function subscriptionsOf(admin: Admin, topic: string): Promise<readonly string[] | null> {
  if ((await admin.partitions(topic)) === null) return null;
  return (await admin.subscriptions(topic)) ?? [];
}
