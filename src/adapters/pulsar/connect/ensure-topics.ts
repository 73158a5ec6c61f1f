// The topics must be there before anything is written to them, each with the mover's subscription: Pulsar keeps a record only
// while some subscription has not passed it, so what is written to a topic without one is gone at once. A topic of one event
// type has that type's schema in Pulsar's registry.

import { PipelineError } from '../../../errors.ts';
import { type Admin, pulsarAdmin } from './admin.ts';
import { type PulsarOptions, partitionNames, pulsarDefaults, type ReadyOptions } from './options.ts';
import { subscribeAtBeginning } from './subscribe.ts';

export interface TopicShape {
  readonly partitions: number;
  readonly subscription: string;
  /** Whether we may create any; otherwise what is missing is a `log_halted`. */
  readonly create?: boolean;
  /** Of the records of a topic, as Pulsar's registry takes it; null = they are of several kinds. */
  readonly schemaOf?: (topic: string) => string | null;
  /** What is registered already, by topic; grows. */
  readonly registered?: Map<string, string>;
}

/** So many topics are asked for at a time. */
const together = 8;

/** Resolves with the topics it created. Rejects with a PipelineError: `log_halted` names the commands to run. */
export async function ensureTopics(
  given: PulsarOptions,
  wanted: readonly string[],
  shape: TopicShape,
): Promise<readonly string[]> {
  const options = { ...pulsarDefaults, ...given };
  const admin = pulsarAdmin(options);
  const created: string[] = [];
  const missing: string[] = [];
  const unfit: string[] = [];
  for (let from = 0; from < wanted.length; from += together)
    await Promise.all(
      wanted.slice(from, from + together).map(async topic => {
        const full = `persistent://${options.namespace}/${topic}`;
        const made = await ensure(options, admin, { ...shape, topic, full });
        if (made.isCreated) created.push(topic);
        missing.push(...made.missing);
        if (made.missing.length === 0 && !(await register(admin, topic, shape))) unfit.push(full);
      }),
    );
  if (missing.length > 0)
    throw new PipelineError('log_halted', `Pulsar lacks topics or subscriptions; run: ${missing.join('; ')}`);
  if (unfit.length > 0)
    throw new PipelineError(
      'log_halted',
      `the schema in Pulsar's registry is not compatible with ugc's for ${unfit.join(', ')}: events flow all the same, readers by the registry may not understand them; look: pulsar-admin schemas get ${unfit[0]}; then delete it there (pulsar-admin schemas delete) or relax the namespace's strategy (pulsar-admin namespaces set-schema-compatibility-strategy)`,
    );
  return created;
}

interface Ensuring extends TopicShape {
  readonly topic: string;
  readonly full: string;
}

/** What is left to do for an operator, as commands. */
async function ensure(options: ReadyOptions, admin: Admin, ensuring: Ensuring) {
  const { topic, full, partitions, subscription, create = true } = ensuring;
  const count = await admin.partitions(topic);
  const isThere = count !== null;
  if (isThere && (await isOnAll(admin, partitionNames(topic, count), subscription)))
    return { isCreated: false, missing: [] };
  const missing = [
    ...(isThere ? [] : [`pulsar-admin topics create-partitioned-topic ${full} --partitions ${partitions}`]),
    `pulsar-admin topics create-subscription ${full} --subscription ${subscription} --messageId earliest`,
  ];
  if (!create) return { isCreated: false, missing };
  try {
    const isCreated = !isThere && (await admin.createTopic(topic, partitions));
    // Another may have made it just now, in another shape.
    const names = partitionNames(topic, count ?? (await admin.partitions(topic)) ?? partitions);
    await Promise.all(names.map(name => subscribeAtBeginning(options, admin, { name, subscription })));
    return { isCreated, missing: [] };
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'log_halted') throw error;
    throw new PipelineError('log_halted', `${error.message}; an operator who may runs: ${missing.join('; ')}`);
  }
}

/** Of a topic with partitions Pulsar tells the subscriptions of the first alone, and a broker may have died before the others. */
async function isOnAll(admin: Admin, names: readonly string[], subscription: string): Promise<boolean> {
  const found = await Promise.all(names.map(name => admin.subscriptions(name)));
  return found.every(each => each?.includes(subscription));
}

async function register(admin: Admin, topic: string, { schemaOf, registered, create = true }: TopicShape) {
  const schema = schemaOf?.(topic) ?? null;
  if (schema === null || !create || registered?.get(topic) === schema) return true;
  if (!(await admin.registerSchema(topic, schema))) return false;
  registered?.set(topic, schema);
  return true;
}
