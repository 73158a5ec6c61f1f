// A subscription in front of everything a partition has. A consumer makes one there at once. The admin API makes it behind
// everything and moves it afterwards: a broker that dies in between, or a request that is given up, leaves it at the end for
// good, and what was there is skipped (seen with 4.0.0). So the admin API is asked only where consumers may not make any
// (allowAutoSubscriptionCreation=false).

import type { PipelineError } from '../../../errors.ts';
import type { Admin } from './admin.ts';
import type { ReadyOptions } from './options.ts';
import { openSocket } from './socket.ts';

export interface Subscribing {
  /** Of one partition. */
  readonly name: string;
  readonly subscription: string;
}

/** A server that allows no consumer to make a subscription ends the connection, and does not say why. */
const triesMax = 3;

/** False when it was there already. */
export async function subscribeAtBeginning(
  options: ReadyOptions,
  admin: Admin,
  { name, subscription }: Subscribing,
): Promise<boolean> {
  const isThere = async (): Promise<boolean> => (await admin.subscriptions(name))?.includes(subscription) ?? false;
  if (await isThere()) return false;
  for (let tries = 0; tries < triesMax; tries++) {
    const refused = await consumeNothing(options, consumerPath(options, { name, subscription }));
    // Rejects where Pulsar is away, and then nothing is to be concluded from a connection that ended.
    if (await isThere()) return true;
    if (refused?.code === 'log_halted') break;
  }
  return admin.subscribe(name, subscription, 'earliest');
}

/** A consumer of it, which begins there where it is the first; it is given what it asks for. */
export const consumerPath = ({ namespace }: ReadyOptions, { name, subscription }: Subscribing): string =>
  `consumer/persistent/${namespace}/${encodeURIComponent(name)}/${encodeURIComponent(subscription)}?subscriptionType=Failover&subscriptionInitialPosition=Earliest&pullMode=true`;

/** Resolves once the consumer has been there and is gone, or with what it was ended by. */
async function consumeNothing(options: ReadyOptions, path: string): Promise<PipelineError | null> {
  const { promise, resolve } = Promise.withResolvers<PipelineError | null>();
  const socket = openSocket(options, path, { opened: () => resolve(null), received: () => {}, ended: resolve });
  const error = await promise;
  await socket.close();
  return error;
}
