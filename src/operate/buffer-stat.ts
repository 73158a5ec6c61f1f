// `ugc buffer stat`: how much lies in the buffer, of what, since when, for whom, and what was set aside.

import type { BufferFile, BufferReport } from '../ports/buffer-file.ts';
import { isoOf } from '../process/clock.ts';
import type { Exit } from './arguments.ts';
import { count, countOf, cut, duration, plain, size, table, writeOut } from './output.ts';

const reasonsMax = 20;
const reasonColumns = 80;

export function stat(file: BufferFile, path: string, json: boolean): Exit {
  const report = file.stat();
  writeOut(json ? `${JSON.stringify(jsonOf(report, path))}\n` : textOf(report, path));
  return 0;
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));
/** The buffer itself holds everything while a damaged index is made anew. */
const nameOf = (reader: string): string => (reader === '' ? '(a repair)' : reader);
const ageOf = (ms: number): string => duration(Date.now() - ms);

const jsonOf = ({ topics, readers, quarantine, ...sums }: BufferReport, path: string) => ({
  path,
  events: sums.events,
  file_bytes: sums.fileBytes,
  bytes: sums.bytes,
  left_bytes: sums.left,
  oldest_at: isoOrNull(sums.oldestAtMs),
  unreadable_rows: sums.unreadableRows,
  topics: topics.map(({ oldestAtMs, ...topic }) => ({ ...topic, oldest_at: isoOrNull(oldestAtMs) })),
  readers,
  quarantined: quarantine.reduce((sum, { records }) => sum + records, 0),
  quarantine: quarantine.map(({ reason, records, oldestAtMs }) => ({
    reason,
    records,
    oldest_at: isoOrNull(oldestAtMs),
  })),
});

function textOf(report: BufferReport, path: string): string {
  const { events, topics, readers, quarantine, oldestAtMs, unreadableRows } = report;
  const age = oldestAtMs === null ? '' : `, the oldest ${ageOf(oldestAtMs)} old`;
  const parts = [
    `${path}\n`,
    `${countOf(events, 'event')}${age}\n`,
    `${size(report.fileBytes)} on disk, ${size(report.bytes)} in use, room for ${size(report.left)}\n`,
  ];
  if (unreadableRows > 0) parts.push(`${countOf(unreadableRows, 'place')} cannot be read: see ugc buffer verify\n`);
  if (topics.length > 0)
    parts.push(
      '\nin the log\n',
      table(
        ['topic', 'type', 'events', 'size', 'oldest'],
        topics.map(topic => [topic.topic, topic.type, topic.events, size(topic.bytes), ageOf(topic.oldestAtMs)]),
      ),
    );
  parts.push('\nreaders\n');
  if (readers.length === 0) parts.push('  none: nothing is ever deleted\n');
  else
    parts.push(
      table(
        ['reader', 'topic', 'has passed', 'has not passed'],
        readers.flatMap(({ reader, topics, behind }): (readonly (string | number)[])[] =>
          topics.length === 0
            ? [[nameOf(reader), '', '', behind]]
            : topics.map(topic => [nameOf(reader), topic.topic, String(topic.position ?? 'nothing'), topic.behind]),
        ),
      ),
    );
  if (quarantine.length > 0) {
    const records = quarantine.reduce((sum, entry) => sum + entry.records, 0);
    parts.push(
      `\nin quarantine: ${countOf(records, 'record')}\n`,
      table(
        ['records', 'since', 'reason'],
        quarantine
          .slice(0, reasonsMax)
          .map(entry => [entry.records, ageOf(entry.oldestAtMs), cut(plain(entry.reason), reasonColumns)]),
      ),
    );
    if (quarantine.length > reasonsMax)
      parts.push(`  and ${count(quarantine.length - reasonsMax)} more reasons: --json lists them\n`);
  }
  return parts.join('');
}
