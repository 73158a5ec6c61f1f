// Writes the tables of settings, of event types and of metrics into the README, from the one place where each is declared. A test
// keeps them equal.

import { join } from 'node:path';
import { catalogue } from '../schemas/catalogue.ts';
import { typesTable } from '../schemas/markdown.ts';
import { configMarkdown } from '../src/operate/help.ts';
import { metricsMarkdown } from './metrics-table.ts';

const path = join(import.meta.dir, '../README.md');
const text = await Bun.file(path).text();
const tables: Readonly<Record<string, string>> = {
  settings: configMarkdown(),
  events: typesTable(catalogue.types),
  metrics: metricsMarkdown(),
};
let written = text;
for (const [name, table] of Object.entries(tables))
  written = written.replace(
    new RegExp(`(<!-- ${name}:[^\\n]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, open: string, close: string) => `${open}\n${table}\n\n${close}`,
  );
await Bun.write(path, written);
