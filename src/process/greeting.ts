// For the person in front of a terminal: what is there now, and what to try. The log says the same for machines.

import { styleText } from 'node:util';

export interface Greeting {
  readonly version: string;
  readonly roles: readonly string[];
  readonly url: string;
  readonly data_dir: string;
  readonly start_ms: number;
  readonly clickhouse_http?: string | undefined;
}

export function greet(about: Greeting): void {
  process.stderr.write(greetingOf(about, (format, text) => styleText(format, text, { stream: process.stderr })));
}

type Style = (format: 'bold' | 'cyan' | 'dim', text: string) => string;

export function greetingOf(about: Greeting, style: Style): string {
  const { version, roles, url, data_dir: folder, start_ms: startMs, clickhouse_http: clickhouseUrl } = about;
  const line = (name: string, what: string, more = ''): string =>
    `  ${style('dim', name.padEnd(11))} ${style('cyan', what)}${more === '' ? '' : `   ${style('dim', more)}`}\n`;
  const takesEvents = roles.includes('ingest');
  return [
    `\n${style('bold', `ugc ${version} is ready`)} ${style('dim', `after ${startMs} ms: ${roles.join(', ')}`)}\n\n`,
    line('data', folder),
    takesEvents ? line('events', `POST ${url}/v1/events`) : '',
    takesEvents ? line('try them', `${url}/apidocs`) : '',
    clickhouseUrl === undefined ? '' : line('tables', clickhouseUrl, 'or: ugc query "SELECT * FROM events"'),
    line('health', `${url}/healthz/ready`, `metrics: ${url}/metrics`),
    '\n',
  ].join('');
}
