// What the manifest says held against what the log has now, partition by partition: what is not archived yet, what the log
// has deleted before it was, and what is archived of a log that is no more.

import type { LogSpan } from '../ports/source.ts';
import { chainName } from './holdings.ts';
import type { Chain, Entry } from './manifest.ts';

export interface LogBooks {
  readonly partitions: readonly PartitionBooks[];
  /** What cannot be made good any more. */
  readonly problems: readonly string[];
  /** The sum of it for people, one line. */
  readonly words: string;
}

export interface PartitionBooks extends LogSpan {
  /** Behind the last archived position; 0 = nothing is. */
  readonly archived: number;
  /** Positions that are in the log and in no entry yet. */
  readonly behind: number;
  /** Positions that the log no longer has and no entry holds; none where the archive has not begun. */
  readonly deleted: number;
}

export function heldAgainstLog(entries: readonly Entry[], spans: readonly LogSpan[]): LogBooks {
  const ends = new Map<string, number>();
  for (const { last, ...chain } of entries) ends.set(nameOf(chain), Math.max(ends.get(nameOf(chain)) ?? 0, last + 1));
  const partitions = spans.map(span => {
    const archived = ends.get(nameOf(span)) ?? 0;
    return {
      ...span,
      archived,
      behind: Math.max(0, span.next - Math.max(archived, span.first)),
      deleted: archived === 0 ? 0 : Math.max(0, span.first - archived),
    };
  });
  const problems = partitions.flatMap(each => [
    ...(each.deleted === 0
      ? []
      : [
          `${chainName(each)}: the log has deleted positions ${each.archived} to ${each.first - 1} before they were archived`,
        ]),
    ...(each.archived <= each.next
      ? []
      : [
          `${chainName(each)}: the log ends at ${each.next}, and the archive has it up to ${each.archived}: it was cut`,
        ]),
  ]);
  const behind = partitions.reduce((sum, each) => sum + each.behind, 0);
  const open = partitions.filter(each => each.behind > 0).length;
  const now = new Set(spans.map(nameOf));
  const gone = new Set(entries.map(nameOf).filter(name => !now.has(name))).size;
  const words = [
    behind === 0
      ? 'Everything in the log is archived'
      : `${behind} positions of ${open} partitions are not archived yet`,
    ...(gone === 0 ? [] : [`${gone} archived partitions are of logs that are no more`]),
  ];
  return { partitions, problems, words: `${words.join('; ')}.` };
}

const nameOf = ({ topic, log, partition }: Chain): string => chainName({ topic, log, partition });
