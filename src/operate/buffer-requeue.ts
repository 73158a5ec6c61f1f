// `ugc buffer requeue`: what was set aside goes back to the end of the log, once what was in its way is gone (a topic
// without permission, a size limit). A few in each transaction, with rests in between in which others write.
//
// Damaged records stay unless their reason is named: they may read well and still not be what was acked.

import { PipelineError } from '../errors.ts';
import type { BufferFile, BufferRepair, Requeued } from '../ports/buffer-file.ts';
import type { Exit } from './arguments.ts';
import { filterOf } from './buffer-inspect.ts';
import { countOf, progressOf, say, writeOut } from './output.ts';
import { envelopeOf, isDamage } from './set-aside-record.ts';

export interface RequeueOptions {
  readonly topic: string;
  readonly reason: string;
  readonly json: boolean;
  readonly topicOf: (type: string) => string | null;
}

/** What one transaction moves: a few milliseconds under the write lock. */
const recordsAtOnce = 128;
const bytesAtOnce = 256 * 1024;
const restMs = 3;

/** `into` null: only say what would be done. */
export async function requeue(file: BufferFile, into: BufferRepair | null, options: RequeueOptions): Promise<Exit> {
  const { topic, reason, json, topicOf } = options;
  const progress = progressOf('requeued', 'events');
  const total = file.stat().quarantine.reduce((sum, { records }) => sum + records, 0);
  const stay = new Map<string, number>();
  const keep = (why: string, records: number): void => void stay.set(why, (stay.get(why) ?? 0) + records);
  let moved = 0;
  let chunk: Requeued[] = [];
  let chunkBytes = 0;
  const move = async (): Promise<void> => {
    if (chunk.length > 0) moved += into === null ? chunk.length : into.requeue(chunk);
    [chunk, chunkBytes] = [[], 0];
    progress.at(moved, total);
    if (into !== null) await Bun.sleep(restMs);
  };

  let full: PipelineError | null = null;
  try {
    for (const from of file.quarantined(filterOf({ topic, reason }))) {
      if (isDamage(from) && reason === '') {
        keep(
          `damaged, its bytes are not what was acked; --reason=${from.reason} takes those that still read`,
          from.records,
        );
        continue;
      }
      const envelope = envelopeOf(from, topicOf);
      if (typeof envelope === 'string') {
        keep(envelope, from.records);
        continue;
      }
      chunk.push({ from, envelope });
      chunkBytes += from.raw.length;
      if (chunk.length >= recordsAtOnce || chunkBytes >= bytesAtOnce) await move();
    }
    await move();
  } catch (error) {
    if (!(error instanceof PipelineError && error.code === 'buffer_full')) throw error;
    full = error;
  }
  progress.end();

  const left = [...stay].map(([why, records]) => ({ why, records }));
  if (json) writeOut(`${JSON.stringify({ requeued: moved, dry_run: into === null, left, full: full !== null })}\n`);
  else {
    writeOut(`${into === null ? 'would requeue' : 'requeued'} ${countOf(moved, 'event')}\n`);
    for (const { why, records } of left) writeOut(`${countOf(records, 'record')} stay: ${why}\n`);
  }
  if (full !== null)
    say(`ugc: ${full.message}; what is left stays in quarantine, try again when the buffer has drained`);
  return full === null ? 0 : 1;
}
