// Rows on their way into the engine, past a trap: the library joins an INSERT and its rows to one text, ends the rows
// at the first empty line (\n\n, in binary formats too) or, for VALUES, at a semicolon, stores what came before, and
// RUNS what follows as SQL. So rows go that way only where that cannot be: JSON lines and TSV without an empty line,
// which is what the mover sends. All others are written to a file of the data folder first and inserted FROM INFILE,
// which reads them as what they are, in one block as well.

import { mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** True when the library takes all of `rows` for rows, whatever they hold. */
export const isPlain = (format: string, rows: Buffer): boolean =>
  (format === 'JSONEachRow' || format === 'TabSeparated') && rows.length > 0 && !rows.includes('\n\n');

const folderOf = (path: string): string => join(path, 'spool');
let files = 0;

/** Takes away what a killed process left. Only while no other process has the folder open. */
export function clearSpool(path: string): void {
  rmSync(folderOf(path), { recursive: true, force: true });
  mkdirSync(folderOf(path));
}

/** The file is gone once `use` has settled. */
export async function spooled<T>(path: string, rows: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const file = join(folderOf(path), `${++files}`);
  try {
    await Bun.write(file, rows as Uint8Array<ArrayBuffer>);
    return await use(file);
  } finally {
    await rm(file, { force: true });
  }
}
