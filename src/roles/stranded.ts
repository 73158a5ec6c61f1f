// Events in a disk buffer that this process does not open: with a broker the etl role has no business with the disk, so
// what another role has left on the same data folder would wait for ever without a word.

import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';
import { buffers } from '../operate/buffers.ts';
import type { Transport } from '../ports/transport.ts';
import { bufferFile } from '../process/instance.ts';
import type { Logger } from '../process/telemetry.ts';

export interface StrandedOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly transport: Pick<Transport, 'title'>;
}

const lookAgainMs = 30_000;

/** In words how many there are, or null; looked at again half a minute later at the earliest. */
export function strandedIn({ config, logger, transport }: StrandedOptions): () => string | null {
  let words: string | null = null;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const look = (): string | null => {
    if (performance.now() - lookedAtMs < lookAgainMs) return words;
    lookedAtMs = performance.now();
    const events = eventsIn(config);
    words =
      events === 0
        ? null
        : `${events} events wait in ${bufferFile(config.dataDir)}, which this role does not read: run ugc with --role=ingest on this data folder until they are in ${transport.title}`;
    return words;
  };
  if (look() !== null) logger.warn(words!);
  return look;
}

/** Those no running process looks after. */
function eventsIn(config: Config): number {
  if (!existsSync(bufferFile(config.dataDir)) || buffers.isInUse(config)) return 0;
  try {
    const file = buffers.read(config);
    try {
      const { events, readers } = file.stat();
      return readers.length === 0 ? events : Math.max(...readers.map(({ behind }) => behind));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof PipelineError) return 0; // not ours, or another process has just opened it
    throw error;
  }
}
