// The thread that writes: bun:sqlite is synchronous, and an fsync on the request thread would stall every request. A group
// of changes is one transaction, so that an fsync is shared by all that waited meanwhile; it is done as a whole or not at
// all, and then each of it is answered. After any error the file is opened anew: it may have been replaced.

import type { ErrorCode } from '../../errors.ts';
import type { ViewingRules } from '../../ports/content.ts';
import { type Connection, openContent, toPipelineError } from './file.ts';
import { type Marks, marks } from './marks.ts';
import { type PersonChanges, personChanges } from './person-changes.ts';
import { type ReviewChanges, reviewChanges } from './review-changes.ts';
import { telling } from './tell.ts';
import { type ViewingChanges, viewingChanges } from './viewing-changes.ts';

/** Everything that can be asked for in a group, by name. */
export interface Changes extends Marks, ReviewChanges, ViewingChanges, PersonChanges {
  /** Shows that it can be written. */
  probe(): void;
}

export interface Opening {
  readonly path: string;
  readonly viewing: ViewingRules;
}

/** The first message is the opening as JSON, each one after it a group: `[name, …arguments][]` as JSON; an empty one closes the file. */
export type Group = readonly (readonly [name: keyof Changes, ...args: unknown[]])[];

/** `answers`: of a group, as JSON; null stands for none. */
export type Reply = { readonly answers: string } | { readonly code: ErrorCode; readonly message: string };

declare const self: Worker;

let opening: Opening | null = null;
let connection: Connection | null = null;
let changes: Changes | null = null;

self.onmessage = ({ data }: MessageEvent<string>): void => {
  if (opening === null) opening = JSON.parse(data) as Opening;
  else if (data === '') {
    close();
    postMessage({ answers: '[]' });
  } else postMessage(answer(JSON.parse(data) as Group, opening));
};

function answer(group: Group, { path, viewing }: Opening): Reply {
  try {
    connection ??= openContent(path);
    changes ??= changesOver(connection, viewing);
    const by = changes;
    const perform = (): unknown[] =>
      // The arguments are those of the method: both are made by one function (thread.ts).
      group.map(([name, ...args]) => (by[name] as (...given: unknown[]) => unknown)(...args) ?? null);
    return { answers: JSON.stringify(connection.write(perform)) };
  } catch (error) {
    close();
    const { code, message } = toPipelineError(error, path);
    return { code, message };
  }
}

function changesOver(over: Connection, viewing: ViewingRules): Changes {
  const told = telling(over);
  const probe = over.prepare<unknown, []>("INSERT OR REPLACE INTO claims VALUES ('', '', '', 0, NULL)");
  return {
    ...marks(over, told),
    ...reviewChanges(over, told),
    ...viewingChanges(over, told, viewing),
    ...personChanges(over, told),
    probe: () => void probe.run(),
  };
}

function close(): void {
  connection?.close();
  connection = null;
  changes = null;
}
