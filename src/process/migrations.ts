// Which migrations a database still lacks. They are numbered from 1 without a gap, only ever go forward, and one that was
// run is never changed: a checksum of each is kept beside it.

import { PipelineError } from '../errors.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** One that was run, as the database tells. */
export interface AppliedMigration {
  readonly version: number;
  readonly checksum: string;
}

export const checksumOf = ({ sql }: Migration): string => new Bun.CryptoHasher('sha256').update(sql).digest('hex');

/** In order. Throws `store_halted` for a database that is newer than this program, or not of these migrations. */
export function missingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  for (const { version, checksum } of applied) {
    const migration = known.find(one => one.version === version);
    if (migration === undefined)
      throw new PipelineError(
        'store_halted',
        `The content store was made by a newer ugc (its schema is ${version}, this one knows ${known.length}): start that one`,
      );
    if (checksumOf(migration) !== checksum)
      throw new PipelineError(
        'store_halted',
        `The content store was made by another ugc: its migration ${version} (${migration.name}) is not this one’s. Start the ugc that made it, or restore a copy`,
      );
  }
  return known.filter(({ version }) => !applied.some(one => one.version === version));
}
