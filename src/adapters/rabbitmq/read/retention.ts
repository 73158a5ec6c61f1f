// How long RabbitMQ keeps what is in a topic, as far as AMQP tells: what its queue was declared with. A policy of the server
// may say something else.

import { openConnection } from '../connect/connection.ts';
import { declaredWith } from '../connect/ensure-topics.ts';
import { errorOfRabbitmq } from '../connect/error.ts';
import type { RabbitmqConnection } from '../connect/options.ts';

export interface QueueRetention {
  readonly topic: string;
  /** As it was declared, e.g. `168h`; null = nothing was said. Of a stream. */
  readonly age: string | null;
  readonly bytes: number | null;
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  D: 86_400_000,
  M: 30 * 86_400_000,
  Y: 365 * 86_400_000,
};

/** Of x-max-age, as `168h` (rabbitmq.com/docs/streams); null = none, or not understood. */
export function ageMsOf(age: string | null): number | null {
  const [, count, unit = ''] = /^(\d+)([YMDhms])$/.exec(age ?? '') ?? [];
  return count === undefined ? null : Number(count) * unitMs[unit]!;
}

/** Those of the topics that are there. Rejects with a PipelineError when RabbitMQ cannot be asked. */
export async function retentionOf(
  options: RabbitmqConnection,
  topics: readonly string[],
): Promise<readonly QueueRetention[]> {
  const connection = await openConnection(options);
  try {
    const found: QueueRetention[] = [];
    for (const topic of topics) {
      const declared = await declaredWith(connection, topic, options.kind);
      if (declared === null) continue;
      const bytes = declared['x-max-length-bytes'];
      found.push({ topic, age: declared['x-max-age']?.toString() ?? null, bytes: bytes ? Number(bytes) : null });
    }
    return found;
  } catch (thrown) {
    throw errorOfRabbitmq(thrown, 'before sending', connection.address);
  } finally {
    await connection.close();
  }
}
