// The console, wired: the page at `/` and what it asks, for a process that takes events. It is no role of its own: it shows
// what the roles of its process do.

import { built } from '../console/built.ts';
import { consolePage } from '../console/page.ts';
import type { Guard } from '../http/openapi.ts';
import type { Console as FrontConsole } from '../http/server.ts';
import type { Health } from '../process/telemetry.ts';
import type { Parts, Role } from './role.ts';

export interface ConsoleOptions {
  /** Names of those of this process. */
  readonly roles: readonly string[];
  /** What the door lets in by; none = everybody may. */
  readonly door: readonly Guard[];
}

/** What is known once there is a front. */
export interface ShownAround {
  readonly health: () => Health;
}

export interface Console extends Role {
  /** Null: this process has none. */
  front(around: ShownAround): FrontConsole | null;
}

export function openConsole({ config }: Parts, { roles }: ConsoleOptions): Console {
  const isShown = config.console && roles.includes('ingest');
  return {
    front() {
      if (!isShown) return null;
      const page = built === null ? null : consolePage(built);
      return { page: page?.answer ?? null, routes: [...(page?.routes ?? [])] };
    },
    close: async () => {},
  };
}
