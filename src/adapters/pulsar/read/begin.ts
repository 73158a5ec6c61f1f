// Where a subscription begins that is not there yet: in front of everything Pulsar has, or, to read again, at a time or at
// places that are given. One that is there goes on where it is.

import { PipelineError } from '../../../errors.ts';
import type { StartingPoint } from '../../../ports/transport.ts';
import type { Admin } from '../connect/admin.ts';
import type { ReadyOptions } from '../connect/options.ts';
import { subscribeAtBeginning } from '../connect/subscribe.ts';
import { placeOf } from './message.ts';

export interface BeginOptions {
  readonly topic: string;
  /** Of its partitions, in their order. */
  readonly names: readonly string[];
  readonly subscription: string;
  readonly from: StartingPoint | null;
}

/** A process that ends in between leaves a subscription that begins earlier than it was told to: more is read, never less. */
export async function begin(
  options: ReadyOptions,
  admin: Admin,
  { topic, names, subscription, from }: BeginOptions,
): Promise<void> {
  const { offsets } = from !== null && 'offsets' in from ? from : { offsets: null };
  for (const [partition, name] of names.entries()) {
    const position = offsets?.get(`${topic}/${partition}`);
    const isAtEnd = offsets !== null && position === undefined;
    if (isAtEnd) {
      await admin.subscribe(name, subscription, 'latest');
      continue;
    }
    const isNew = await subscribeAtBeginning(options, admin, { name, subscription });
    if (!isNew || from === null) continue;
    if ('atMs' in from) await admin.seekTime(name, subscription, from.atMs).catch(unlessEmpty);
    else if (position! > 0) await admin.seekMessage(name, subscription, { ...placeOf(position!), partitionIndex: -1 });
  }
}

/** A partition without a record has no time to go to. */
function unlessEmpty(error: unknown): void {
  if (error instanceof PipelineError && /412|no message|unable to find position/i.test(error.message)) return;
  throw error;
}
