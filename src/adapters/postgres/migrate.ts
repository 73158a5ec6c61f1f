// The schema, brought up to date by whoever comes first: one transaction under one lock, so that ten may start at once.

import { type AppliedMigration, checksumOf, type Migration, missingMigrations } from '../../process/migrations.ts';
import type { Client } from './client.ts';
import begin from './migrations/001-begin.sql' with { type: 'text' };
import changes from './migrations/002-changes.sql' with { type: 'text' };

const migrations: readonly Migration[] = [
  { version: 1, name: 'begin', sql: begin },
  { version: 2, name: 'changes', sql: changes },
];

/** 'ugcm': of all programs that use this database, ours take this lock. */
const migrationLock = 0x7567636d;

/** Rejects as the port says. */
export async function migrate(client: Client): Promise<void> {
  await client.script(async execute => {
    // It may take longer than a statement may.
    await execute('SET LOCAL statement_timeout = 0');
    await execute(`SELECT pg_advisory_xact_lock(${migrationLock})`);
    const [found] = await execute("SELECT to_regclass('content_migrations') IS NOT NULL AS found");
    if (!(found as { found: boolean }).found)
      await execute(`CREATE TABLE content_migrations (
        version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, at timestamptz NOT NULL DEFAULT now())`);
    const applied = await execute('SELECT version, checksum FROM content_migrations');
    for (const migration of missingMigrations(migrations, applied as readonly AppliedMigration[])) {
      await execute(migration.sql);
      const { version, name } = migration;
      await execute(
        'INSERT INTO content_migrations (version, name, checksum) VALUES ($1::text::integer, $2::text, $3::text)',
        [version, name, checksumOf(migration)],
      );
    }
  });
}
