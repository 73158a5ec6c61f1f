// The embedded engine on a volume that has no room for it at the start: it is opened by whoever asks it first once there
// is some, and until then every question is refused in ClickHouse's words. Anything else that is wrong ends the start.

import { mkdirSync, statfsSync } from 'node:fs';
import { type Engine, type EngineOptions, openEngine } from './engine.ts';
import { type EngineError, refuse } from './error.ts';

export interface PatientEngine extends Engine {
  readonly isOpen: boolean;
}

/** What a new folder, its system tables and the first parts take; a half-made one is not tried. */
const roomBytesMin = 4 * 2 ** 20;
const tryEveryMs = 1_000;

/** Throws `engine_missing`, `data_dir_locked` or `config_invalid`. */
export function patientEngine(options: EngineOptions, open = openEngine): PatientEngine {
  let engine: Engine | null = null;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  /** Null when there is no room. */
  const tryToOpen = (): Engine | null => {
    triedAtMs = performance.now();
    try {
      mkdirSync(options.path, { recursive: true });
      const { bavail, bsize } = statfsSync(options.path);
      if (bavail * bsize >= roomBytesMin) engine = open(options);
    } catch (error) {
      if (!isForLackOfRoom(error)) throw error;
    }
    return engine;
  };

  const opened = (): Engine => {
    const mayTry = !isClosed && performance.now() - triedAtMs >= tryEveryMs;
    const now = engine ?? (mayTry ? tryToOpen() : null);
    if (now === null) throw noRoom(options.path);
    return now;
  };

  // What openEngine says of a folder that cannot be made is better than what mkdir says.
  try {
    tryToOpen();
  } catch {
    engine = open(options);
  }
  return {
    get isOpen() {
      return engine !== null;
    },
    get version() {
      return engine?.version ?? '';
    },
    get timezone() {
      return engine?.timezone ?? 'UTC';
    },
    path: options.path,
    query: async (...asked) => opened().query(...asked),
    insert: async (...asked) => opened().insert(...asked),
    async close() {
      isClosed = true;
      await engine?.close();
    },
  };
}

function isForLackOfRoom(error: unknown): boolean {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return [code, cause?.code].some(one => one === 'ENOSPC' || one === 'EDQUOT');
}

const noRoom = (path: string): EngineError =>
  refuse(243, `There is no room for the tables in ${path}: make some on its volume`, 'NOT_ENOUGH_SPACE');
