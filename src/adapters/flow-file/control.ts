// Wishes of flows in a file of the data folder, where there is no log that all processes share: they count for every
// process on that folder. The file is JSON, replaced as a whole, changed by one process at a time, and looked at twice a second.

import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, PipelineError } from '../../errors.ts';
import type { FlowControl, Wishes } from '../../ports/flow-control.ts';
import { changing, liveFile, replaceFile } from '../../process/file.ts';
import type { Logger } from '../../process/telemetry.ts';
import { latestOf, readWish, type WishRecord, wishesOf } from '../../record/wishes.ts';

export interface FlowFileOptions {
  readonly path: string;
  readonly logger: Logger;
}

const sizeMax = 4 * 2 ** 20;
const triesMax = 100;
const pauseMs = 20;

/** Throws `config_invalid` when the file is not what it should be. */
export function fileFlowControl({ path, logger }: FlowFileOptions): FlowControl {
  const listeners = new Set<() => void>();
  const file = live({ path, logger, onChange: () => tell() });
  const tell = (): void => {
    for (const listener of listeners) listener();
  };

  async function keep(record: WishRecord): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        mkdirSync(dirname(path), { recursive: true });
        // There is no secret in it, and whoever wishes need not be the user that the instance runs as.
        changing(path, () => replaceFile(path, textOf(latestOf([...recordsIn(path), record])), { mode: 0o644 }));
        file.look();
        return;
      } catch (error) {
        // Another process changes it just now, which takes no longer than an fsync.
        if (tries === triesMax || !/is being changed/.test(messageOf(error)))
          throw new PipelineError('buffer_failed', `the wish is not kept: ${messageOf(error)}`, { cause: error });
        await Bun.sleep(pauseMs);
      }
    }
  }

  return {
    wishes: () => file.value,
    problem: file.problem,
    away: () => null,
    wish: keep,
    drained: keep,
    watch: listener => void listeners.add(listener),
    close: async () => file.close(),
  };
}

function live({ path, logger, onChange }: FlowFileOptions & { readonly onChange: () => void }) {
  try {
    return liveFile<Wishes>({ path, read: at => wishesOf(recordsIn(at)), what: 'wishes of flows', logger, onChange });
  } catch (error) {
    throw new PipelineError('config_invalid', `${messageOf(error)}; repair or remove it: without it every flow runs`, {
      cause: error,
    });
  }
}

const textOf = (records: readonly WishRecord[]): string => `${JSON.stringify({ flows: records }, null, 2)}\n`;

/** None where there is no file. Throws an Error in words. */
function recordsIn(path: string): readonly WishRecord[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  if (text.length > sizeMax) throw new Error(`${path} is larger than wishes of flows can be`);
  let flows: unknown;
  try {
    ({ flows } = JSON.parse(text) as { readonly flows?: unknown });
  } catch (error) {
    throw new Error(`${path} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!Array.isArray(flows)) throw new Error(`${path}: flows must be a list`);
  return flows.map((item, at) => {
    const record = readWish(JSON.stringify(item));
    if (record === null) throw new Error(`${path}: /flows/${at} is no wish of a flow`);
    return record;
  });
}
