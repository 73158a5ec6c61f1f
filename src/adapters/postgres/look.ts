// A PostgreSQL looked at and left as it is: its session may not write.

import { client } from './client.ts';
import type { DatabaseOptions } from './url.ts';

export interface PostgresLook {
  readonly version: string;
  readonly user: string;
  /** The store's tables are there. */
  readonly isMade: boolean;
  /** This user may make them in the schema that comes first. */
  readonly mayMake: boolean;
}

const question = `SELECT json_build_object(
  'version', current_setting('server_version'), 'user', current_user,
  'isMade', to_regclass('content_outbox') IS NOT NULL,
  'mayMake', coalesce(has_schema_privilege(current_schema(), 'CREATE'), false))::text AS answer`;

/** Rejects with a PipelineError where it does not answer, or does not let the user in. */
export async function lookAtPostgres(options: Omit<DatabaseOptions, 'connectionsMax'>): Promise<PostgresLook> {
  const database = client({ ...options, connectionsMax: 1, session: { default_transaction_read_only: 'on' } });
  try {
    return await database.ask<PostgresLook>(question, [], false);
  } finally {
    await database.close();
  }
}
