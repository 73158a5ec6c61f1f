// Every role, in the order in which they open; they close in reverse. Who reads the tables comes after who writes them.

import type { Config } from '../config/config.ts';
import type { RoleName } from '../config/process.ts';
import { archive } from './archive.ts';
import { content } from './content.ts';
import { etl } from './etl.ts';
import { ingest } from './ingest.ts';
import type { RoleDefinition } from './role.ts';

const byName: Readonly<Record<RoleName, RoleDefinition>> = { etl, archive, ingest, content };

export const roles: readonly RoleDefinition[] = Object.values(byName);

/** Those that the settings mean. */
export const rolesOf = (config: Config, of = roles): readonly RoleDefinition[] =>
  of.filter(({ name, isMeant }) =>
    config.role.some(wanted => wanted === name || (wanted === 'all' && isMeant?.(config) !== false)),
  );
