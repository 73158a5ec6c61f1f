// The pages that are photographed: a dashboard in Grafana's grid, a terminal. Each is one file with its scripts in it.

import { readFileSync } from 'node:fs';
import type { AskedDashboard } from './panels.ts';

const read = (path: string): string => readFileSync(new URL(import.meta.resolve(path)), 'utf8');
/** In a script's own text, `</script` would be its end. */
const script = (path: string): string => `<script>${read(path).replaceAll('</script', '<\\/script')}</script>`;
const data = (value: unknown): string =>
  `<script>const given = ${JSON.stringify(value).replaceAll('<', '\\u003c')}</script>`;

const page = (styles: string, body: string): string =>
  `<!doctype html><meta charset="utf-8"><style>${styles}</style><body>${body}</body>`;

export const dashboardPage = (dashboard: AskedDashboard): string =>
  page(
    `${read('uplot/dist/uPlot.min.css')}${read('./grid.css')}`,
    `<h1></h1><main></main>${data(dashboard)}${script('uplot/dist/uPlot.iife.min.js')}${script('./units.js')}${script('./grid.js')}`,
  );

export const terminalPage = (bytes: string, columns: number, rows: number): string =>
  page(
    `${read('@xterm/xterm/css/xterm.css')} body { margin: 0; background: #fff } #screen { padding: 12px; display: inline-block }`,
    `<div id="screen"></div>${data({ bytes, columns, rows })}${script('@xterm/xterm/lib/xterm.js')}${script('./screen.js')}`,
  );
