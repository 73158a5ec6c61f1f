// What an operator looks at, by the question: is all well, what comes in, does it reach the tables, and the two flows beside.

import { archive } from './archive.ts';
import { content } from './content.ts';
import { ingest } from './ingest.ts';
import { overview } from './overview.ts';
import type { Dashboard } from './panels.ts';
import { tables } from './tables.ts';

export const grafanaDashboards: readonly Dashboard[] = [overview, ingest, tables, content, archive];
