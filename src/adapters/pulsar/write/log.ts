// Pulsar as the log the edge writes to: a producer a topic, one outcome an envelope. What waits is counted in bytes and has an
// end; what Pulsar's WebSocket API could never carry is refused before it would end the connection of the others.

import { PipelineError } from '../../../errors.ts';
import type { Envelope, Log, Outcome } from '../../../ports/log.ts';
import { pulsarAdmin } from '../connect/admin.ts';
import { type PulsarOptions, pulsarDefaults } from '../connect/options.ts';
import { frameBytesOf, type Producer, pulsarProducer } from './producer.ts';

const stored: Outcome = { ok: true, stored: 'pulsar' };

export function pulsarLog(given: PulsarOptions): Log {
  const options = { ...pulsarDefaults, ...given };
  const { frameBytesMax, queueBytesMax, url } = options;
  const admin = pulsarAdmin(options);
  const producers = new Map<string, Producer>();
  let queuedBytes = 0;
  let closed: Promise<void> | undefined;
  let onEmpty = (): void => {};

  function producerOf(topic: string): Producer {
    let producer = producers.get(topic);
    if (producer === undefined) {
      producer = pulsarProducer(options, admin, topic);
      producers.set(topic, producer);
    }
    return producer;
  }

  function refusalOf(bytes: number): PipelineError | null {
    if (closed !== undefined) return new PipelineError('shutting_down');
    if (bytes > frameBytesMax)
      return new PipelineError(
        'log_refused',
        `its message of ${bytes} bytes is longer than Pulsar's WebSocket takes (${frameBytesMax}): raise webSocketMaxTextFrameSize there and UGC_PULSAR_FRAME_BYTES_MAX here`,
      );
    if (queuedBytes > 0 && queuedBytes + bytes > queueBytesMax)
      return new PipelineError('log_unavailable', `${queuedBytes} bytes already wait for Pulsar at ${url}`);
    return null;
  }

  function publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    if (envelopes.length === 0) return Promise.resolve([]);
    return new Promise(resolve => {
      const outcomes: Outcome[] = Array(envelopes.length);
      let open = envelopes.length;
      const done = (index: number, error: PipelineError | null): void => {
        outcomes[index] = error === null ? stored : { ok: false, error };
        if (--open === 0) resolve(outcomes);
      };
      envelopes.forEach((envelope, index) => {
        const bytes = frameBytesOf(envelope);
        const refusal = refusalOf(bytes);
        if (refusal !== null) {
          done(index, refusal);
          return;
        }
        queuedBytes += bytes;
        producerOf(envelope.topic).add({
          envelope,
          settle(error) {
            queuedBytes -= bytes;
            done(index, error);
            if (queuedBytes === 0) onEmpty();
          },
        });
      });
    });
  }

  async function end(): Promise<void> {
    if (queuedBytes > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      onEmpty = resolve;
      await promise; // each has its outcome within the time of one request
    }
    await Promise.all([...producers.values()].map(producer => producer.close()));
  }

  return { publish, close: () => (closed ??= end()) };
}
