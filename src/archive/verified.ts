// What the last `ugc archive verify` of everything found, kept with the archive: so that a running archiver can say how long
// nobody has looked, and that somebody has found it broken.

import type { ColdStore } from '../ports/cold-store.ts';

const folder = '_ugc/verified';
const keptMax = 20;

export interface Verification {
  /** ISO 8601. */
  readonly at: string;
  readonly closes: boolean;
  /** The last day that is over and whole for every type; null: none. */
  readonly wholeTo: string | null;
  /** Some of what was wrong, in words. */
  readonly problems: readonly string[];
}

/** The latest ones are kept. */
export async function keepVerification(store: ColdStore, verification: Verification): Promise<void> {
  const name = `${folder}/${verification.at.replace(/[^\dTZ]/g, '')}.json`;
  await store.create(name, Buffer.from(`${JSON.stringify(verification, null, 1)}\n`));
  const files = await store.list(folder);
  for (const { path } of files.slice(0, Math.max(0, files.length - keptMax))) await store.remove(path);
}

/** Null: nobody has verified all of it yet, or what they left cannot be read. */
export async function lastVerification(store: ColdStore): Promise<Verification | null> {
  const last = (await store.list(folder)).at(-1);
  const bytes = last === undefined ? null : await store.read(last.path);
  if (bytes === null) return null;
  try {
    const { at, closes, wholeTo, problems } = JSON.parse(Buffer.from(bytes).toString()) as Partial<Verification>;
    const isOne = typeof at === 'string' && !Number.isNaN(Date.parse(at)) && typeof closes === 'boolean';
    if (!isOne) return null;
    const isDay = typeof wholeTo === 'string' && !Number.isNaN(Date.parse(wholeTo));
    return { at, closes, wholeTo: isDay ? wholeTo : null, problems: Array.isArray(problems) ? problems : [] };
  } catch {
    return null;
  }
}
