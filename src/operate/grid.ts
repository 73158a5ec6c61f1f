// Rows for whoever looks at them: a grid, or, where that would be wider than the terminal, each row as lines of its own. Of
// the terminal it is told; without one there is no width and no colour.

import { plain } from './output.ts';

export interface Rows {
  readonly names: readonly string[];
  /** ClickHouse's, by column. */
  readonly types: readonly string[];
  /** As text, as ClickHouse writes it. */
  readonly rows: readonly (readonly string[])[];
}

export interface Screen {
  /** Infinite where nobody looks. */
  readonly columns: number;
  readonly colours: boolean;
}

export function gridOf({ names, types, rows }: Rows, screen: Screen): string {
  const head = names.map(plain);
  const cells = rows.map(row => row.map(plain));
  const widths = head.map((name, at) => cells.reduce((most, row) => Math.max(most, width(row[at]!)), width(name)));
  const total = widths.reduce((sum, columns) => sum + columns + 3, 1);
  if (total > screen.columns) return vertical(head, cells, screen);
  const rule = (left: string, middle: string, right: string): string =>
    `${left}${widths.map(columns => '─'.repeat(columns + 2)).join(middle)}${right}\n`;
  const line = (row: readonly string[], style = (text: string) => text): string =>
    `│ ${row.map((cell, at) => style(padded(cell, widths[at]!, isNumber(types[at] ?? '')))).join(' │ ')} │\n`;
  return [
    rule('┌', '┬', '┐'),
    line(head, bold(screen)),
    rule('├', '┼', '┤'),
    ...cells.map(row => line(row)),
    rule('└', '┴', '┘'),
  ].join('');
}

function vertical(head: readonly string[], cells: readonly (readonly string[])[], screen: Screen): string {
  const name = Math.max(...head.map(width)) + 1;
  const rows = cells.map((row, index) => {
    const title = `row ${index + 1}`;
    const lines = row.map((cell, at) => `${bold(screen)(padded(`${head[at]!}:`, name, false))} ${cell}\n`);
    return `${title}\n${'─'.repeat(title.length)}\n${lines.join('')}`;
  });
  return rows.join('\n');
}

const width = (text: string): number => Bun.stringWidth(text);

const padded = (text: string, columns: number, right: boolean): string => {
  const space = ' '.repeat(columns - width(text));
  return right ? space + text : text + space;
};

const isNumber = (type: string): boolean => /^(Nullable\(|LowCardinality\()*(U?Int|Float|BFloat|Decimal)\d*/.test(type);

const bold = ({ colours }: Screen) =>
  colours ? (text: string): string => `\u001b[1m${text}\u001b[22m` : (text: string): string => text;
