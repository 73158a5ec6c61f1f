// Results as people read them, and as a file that says on what machine they were had.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { machine } from './process.ts';

export type Row = Readonly<Record<string, string | number>> & { readonly what: string };

const show = (value: string | number | undefined): string => {
  if (typeof value !== 'number') return value ?? '';
  return Number.isInteger(value) || Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en')
    : value.toFixed(2);
};

export function markdown(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))].sort(
    (a, b) => Number(a === 'note') - Number(b === 'note'),
  );
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map(row => line(columns.map(column => show(row[column])))),
  ].join('\n');
}

/** Writes bench/results/<time>.md and says where. */
export async function keep(sections: ReadonlyMap<string, readonly Row[]>): Promise<string> {
  const folder = join(import.meta.dir, 'results');
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  const path = join(folder, `${at.slice(0, 19).replaceAll(':', '-')}.md`);
  const text = [...sections].map(([title, rows]) => `## ${title}\n\n${markdown(rows)}\n`).join('\n');
  await Bun.write(path, `# ugc bench, ${at}\n\n${machine()}\n\n${text}`);
  return path;
}
