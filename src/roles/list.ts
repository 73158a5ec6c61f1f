// Every role, in the order in which they open; they close in reverse. Who reads the tables comes after who writes them.

import type { RoleName } from '../config/process.ts';
import { archive } from './archive.ts';
import { content } from './content.ts';
import { etl } from './etl.ts';
import { ingest } from './ingest.ts';
import type { RoleDefinition } from './role.ts';

const byName: Readonly<Record<RoleName, RoleDefinition>> = { etl, archive, ingest, content };

export const roles: readonly RoleDefinition[] = Object.values(byName);
