// Pulsar as the log the edge writes to: a producer a topic, one outcome an envelope. What waits is counted in bytes and has an
// end; what Pulsar's WebSocket API could never carry is refused before it would end the connection of the others.

import { PipelineError } from '../../../errors.ts';
import { type Envelope, type Log, type Outcome, outcomesAs } from '../../../ports/log.ts';
import { gather } from '../../../process/gather.ts';
import { waitingBytes } from '../../../process/waiting-bytes.ts';
import { pulsarAdmin } from '../connect/admin.ts';
import { type PulsarOptions, pulsarDefaults } from '../connect/options.ts';
import { frameBytesOf, type Producer, pulsarProducer } from './producer.ts';

const outcomeOf = outcomesAs('pulsar');

export function pulsarLog(given: PulsarOptions): Log {
  const options = { ...pulsarDefaults, ...given };
  const { frameBytesMax, url } = options;
  const admin = pulsarAdmin(options);
  const producers = new Map<string, Producer>();
  const queued = waitingBytes(options.queueBytesMax);
  let closed: Promise<void> | undefined;

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
    if (!queued.fits(bytes))
      return new PipelineError('log_unavailable', `${queued.bytes} bytes already wait for Pulsar at ${url}`);
    return null;
  }

  function publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    return gather<Outcome>(envelopes.length, settle => {
      envelopes.forEach((envelope, index) => {
        const bytes = frameBytesOf(envelope);
        const refusal = refusalOf(bytes);
        if (refusal !== null) {
          settle(index, outcomeOf(refusal));
          return;
        }
        queued.add(bytes);
        producerOf(envelope.topic).add({
          envelope,
          settle(error) {
            settle(index, outcomeOf(error));
            queued.remove(bytes);
          },
        });
      });
    });
  }

  async function end(): Promise<void> {
    await queued.whenNone(); // each has its outcome within the time of one request
    await Promise.all([...producers.values()].map(producer => producer.close()));
  }

  return { publish, close: () => (closed ??= end()) };
}
