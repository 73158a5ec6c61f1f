// The buffer's file for its operator's commands. Reading opens it read-only; what changes it goes through the same store
// as the server's worker, so that bounds, transactions and sweeping are the same.

import { existsSync } from 'node:fs';
import type { BufferFile, BufferRepair } from '../../../ports/buffer-file.ts';
import type { Envelope } from '../../../ports/log.ts';
import { type Connection, connectionOver } from '../log/connection.ts';
import { type Complain, toPipelineError } from '../log/file.ts';
import { quarantinedOf, recordsOf } from '../log/records.ts';
import type { Bounds } from '../log/room.ts';
import type { Run } from '../log/row.ts';
import { openStore } from '../log/store.ts';
import { backlogOf, reportOf } from '../repair/report.ts';
import { isOpenElsewhere, openExisting } from './existing.ts';
import { verdictOf } from './verify.ts';

/**
 * For commands that read. `config_invalid` when there is no buffer of ours at that place, `buffer_failed` for the rest.
 */
export function openBufferFile(bounds: Bounds): BufferFile {
  const connection = connectionOver(openExisting(bounds.path, 'read'), () => {});
  return { ...readingOver(connection, bounds), close: () => connection.close() };
}

/** For commands that change it. `complain` is told of damage that is met on the way. */
export function openBufferRepair(bounds: Bounds, complain: Complain): BufferRepair {
  const connection = connectionOver(openExisting(bounds.path, 'write'), complain);
  const store = openStore(bounds, complain, () => connection);
  const countEvents = connection.prepare<{ events: number }>('SELECT events FROM state');
  const remove = connection.prepare<{ line: number }, [string, number, number]>(
    'DELETE FROM quarantine WHERE topic = ? AND seq = ? AND line = ? RETURNING line',
  );
  return {
    ...readingOver(connection, bounds),
    requeue(records) {
      let moved = 0;
      known(() =>
        store.appendTaken(runsOf(records.map(({ envelope }) => envelope)), () => {
          const taken = records.filter(({ from }) => remove.get(from.topic, from.position, from.index) !== null);
          moved = taken.length;
          return runsOf(taken.map(({ envelope }) => envelope));
        }),
      );
      store.rest();
      return moved;
    },
    append(envelopes, spareBytes) {
      const runs = runsOf(envelopes);
      const need = runs.reduce((sum, { ndjson, keys }) => sum + ndjson.length + keys.length, 0);
      if (known(() => store.left()) < need + spareBytes) return false;
      known(() => store.append(runs));
      store.rest();
      return true;
    },
    forget: reader => known(() => store.retire(reader)),
    sweep: () => {
      const swept = known(() => store.sweep());
      store.rest();
      return { swept, events: countEvents.get()!.events };
    },
    close: () => store.leave(),
  };
}

/** Whether a process has the file open at this moment. */
export const isBufferInUse = (path: string): boolean => existsSync(path) && isOpenElsewhere(path);

function readingOver(connection: Connection, bounds: Bounds): Omit<BufferFile, 'close'> {
  return {
    stat: () => known(() => reportOf(connection, bounds)),
    records: (filter, onDamage) => knownAll(recordsOf(connection, filter, onDamage)),
    quarantined: filter => knownAll(quarantinedOf(connection, filter)),
    verify: onProgress => known(() => verdictOf(connection, onProgress)),
    backlogOf: reader => known(() => backlogOf(connection, reader)),
  };
}

function known<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toPipelineError(error);
  }
}

/** Errors of the walk, not of the caller that takes what it gives. */
function* knownAll<T>(items: Iterator<T>): Generator<T> {
  for (;;) {
    const next = known(() => items.next());
    if (next.done) return;
    yield next.value;
  }
}

const encoder = new TextEncoder();

/** One for each topic, type and version: what lay in quarantine may be from before an upgrade. */
function runsOf(envelopes: readonly Envelope[]): readonly Run[] {
  const groups = Map.groupBy(envelopes, ({ topic, type, version }) => JSON.stringify([topic, type, version]));
  return [...groups.values()].map(group => ({
    topic: group[0]!.topic,
    type: group[0]!.type,
    count: group.length,
    receivedAtMs: Math.min(...group.map(({ receivedAtMs }) => receivedAtMs)),
    keys: JSON.stringify(group.map(({ key }) => key)),
    ndjson: encoder.encode(group.map(({ body }) => `${body}\n`).join('')),
  }));
}
