// Writes the table of settings into the README, from the one place where settings are declared. A test keeps them equal.

import { join } from 'node:path';
import { configMarkdown } from '../src/operate/help.ts';

const path = join(import.meta.dir, '../README.md');
const text = await Bun.file(path).text();
const written = text.replace(
  /(<!-- settings:[^\n]*-->\n)[\s\S]*?(<!-- \/settings -->)/,
  (_, open: string, close: string) => `${open}\n${configMarkdown()}\n\n${close}`,
);
await Bun.write(path, written);
