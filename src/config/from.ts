// The setting `from`: where the etl role begins to read the log again. A time, or offsets by topic and partition.

import type { StartingPoint } from '../ports/transport.ts';
import type { Setting } from './kinds.ts';
import { brokerOf, type SaidTransport } from './transport.ts';

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;
const offsetPattern = /^([a-zA-Z0-9._-]{1,249}\/\d{1,9})=(\d{1,15})$/;
const takes = 'a time with a zone, or topic/partition=offset, several with commas';

/** Not set: null. */
export const startingPoint = ({ help }: { readonly help: string }): Setting<StartingPoint | null> => ({
  help,
  takes,
  defaultText: '',
  secret: false,
  parse: text => (text === '' ? null : readFrom(text)),
});

function readFrom(text: string): StartingPoint {
  const atMs = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return { atMs };
  const offsets = new Map<string, number>();
  for (const item of text.split(',')) {
    const found = offsetPattern.exec(item.trim());
    if (found === null) throw new Error(`must be ${takes}, e.g. 2026-11-01T00:00Z or ugc.click/0=1200, not "${text}"`);
    if (offsets.has(found[1]!)) throw new Error(`must not name ${found[1]} twice`);
    offsets.set(found[1]!, Number(found[2]));
  }
  return { offsets };
}

/** What the other settings say about it. */
export function fromProblems(
  config: SaidTransport & { readonly from: StartingPoint | null; readonly role: readonly string[] },
): string[] {
  if (config.from === null) return [];
  const problems: string[] = [];
  if (brokerOf(config) === null)
    problems.push(
      'UGC_FROM (--from) needs a broker: the disk buffer forgets events once they are rows, so there is nothing to read again',
    );
  if (config.role.join() !== 'etl')
    problems.push('UGC_FROM (--from) needs --role=etl: a process that reads the log again does nothing else');
  return problems;
}

/** The same in one spelling: what names the same point is the same text. */
export function nameOf(from: StartingPoint): string {
  if ('atMs' in from) return new Date(from.atMs).toISOString();
  const sorted = [...from.offsets].map(([place, offset]) => `${place}=${offset}`).toSorted();
  return Bun.hash(sorted.join(',')).toString(16).padStart(16, '0');
}
