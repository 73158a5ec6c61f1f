// Connections held below what the process may have open. Every connection is an open file, and a process without one left
// neither takes a connection nor opens a table, and spins. So the files are counted a few times a second, and
//
// - crowded: idle connections are closed at once, and every answer closes its own;
// - full: events are refused as well, with an answer that says so.
//
// Both are over by themselves, and said in the log, in readiness and in metrics. A connection that sends nothing is cut
// by the server after a moment, see idleTimeout. Without /proc there is nothing to count, and no bound.

import { readdirSync, readFileSync } from 'node:fs';
import type { Logger } from '../process/telemetry.ts';

export interface ConnectionsOptions {
  /** At once; 0 = as many as the limit of open files leaves. */
  readonly max: number;
  /** That are listened on. */
  readonly ports: readonly number[];
  /** Closes those that neither send nor wait for an answer; says how many. */
  readonly closeIdle: () => number;
  readonly logger: Logger;
  /** What the process may have open and has; null where that cannot be known. */
  readonly files?: Files | null;
  /** Accepted connections to the ports; null where they cannot be counted. */
  readonly count?: () => Promise<number | null>;
}

export interface Files {
  readonly max: number;
  /** Open just now; null when there is none left to look with. */
  open(): number | null;
}

export interface Connections {
  /** As many as there may be; null = no bound. */
  readonly max: number | null;
  /** Open just now; null where that cannot be known. */
  count(): Promise<number | null>;
  isCrowded(): boolean;
  isFull(): boolean;
  /** For readiness. */
  problems(): Readonly<Record<string, string>>;
  stop(): void;
}

const lookMs = 250;
/** Files kept for everything but connections: a part of the limit, for the engine opens as many as it has. */
const reserveOf = (filesMax: number): number => Math.min(1_024, Math.max(16, Math.floor(filesMax / 8)));

export function watchConnections({
  max: given,
  ports,
  closeIdle,
  logger,
  files = openFiles(),
  count = () => connectionsTo(ports),
}: ConnectionsOptions): Connections {
  const filesMax = files?.max ?? Number.POSITIVE_INFINITY;
  const reserve = reserveOf(filesMax);
  const derived = Math.max(1, filesMax - reserve - (files?.open() ?? 0));
  const max = given > 0 ? Math.min(given, derived) : derived;
  if (given > max)
    logger.warn(
      { open_files_max: filesMax, connections_max: max },
      `UGC_CONNECTIONS_MAX=${given} is more than the limit of open files leaves (ulimit -n): ${max} it is`,
    );
  let state: 'roomy' | 'crowded' | 'full' = 'roomy';
  let said = '';
  let isScarce = false;
  let looking = false;
  const timer = files === null ? null : setInterval(() => void look(), lookMs);
  timer?.unref();

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      become(await found());
      if (state !== 'roomy') closeIdle();
    } finally {
      looking = false;
    }
  }

  /** What it is now. Files are cheap to count; connections are counted when there may be too many. */
  async function found(): Promise<typeof state> {
    const open = files?.open() ?? filesMax;
    const left = filesMax - open;
    // To count them takes a file: who has none left has too many.
    const connections = open * 2 > max || given > 0 ? ((await count()) ?? max) : 0;
    said = `${connections} connections of ${max}, ${open} open files of ${filesMax}`;
    isScarce = left < reserve / 2;
    if (connections * 2 <= max) return 'roomy'; // the files are not held by connections
    if (isScarce || connections > max) return 'full';
    const isNear = left < reserve || connections > max * 0.95;
    const isStill = state !== 'roomy' && (left < reserve * 1.25 || connections > max * 0.9);
    return isNear || isStill ? 'crowded' : 'roomy';
  }

  function become(next: typeof state): void {
    if (next !== 'roomy' && state === 'roomy')
      logger.warn(`too many connections: ${said}. Idle ones are closed; see UGC_CONNECTIONS_MAX and ulimit -n`);
    if (next === 'roomy' && state !== 'roomy') logger.info(`connections have room again: ${said}`);
    state = next;
  }

  return {
    max: Number.isFinite(max) ? max : null,
    count,
    isCrowded: () => state !== 'roomy',
    isFull: () => state === 'full',
    problems: () => {
      if (state !== 'roomy') return { connections: `${state}: ${said}` };
      return isScarce ? { open_files: `few are left (ulimit -n): ${said}` } : {};
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
    },
  };
}

/** Null where there is no /proc, or no limit. */
function openFiles(): Files | null {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    if (limit === undefined) return null;
    return {
      max: Number(limit),
      open: () => {
        try {
          return readdirSync('/proc/self/fd').length;
        } catch {
          return null;
        }
      },
    };
  } catch {
    return null;
  }
}

/** Accepted connections to these ports, by the kernel's own tables (proc(5), /proc/net/tcp). */
async function connectionsTo(ports: readonly number[]): Promise<number | null> {
  try {
    const tables = await Promise.all(['tcp', 'tcp6'].map(name => Bun.file(`/proc/self/net/${name}`).text()));
    return tables.reduce((sum, table) => sum + acceptedIn(table, ports), 0);
  } catch {
    return null;
  }
}

/**
 * Exported for its test. A row: number, local address:port, remote, state (01 = established), …, inode (0 = not
 * accepted).
 */
export function acceptedIn(table: string, ports: readonly number[]): number {
  const wanted = new Set(ports.map(port => port.toString(16).toUpperCase().padStart(4, '0')));
  return table
    .split('\n')
    .slice(1)
    .filter(line => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === '01' && inode !== '0' && wanted.has(local.slice(local.lastIndexOf(':') + 1));
    }).length;
}
