// What the engine says of its refreshable views: how old what readers see is, what it took, why a computation failed.
// Of the node that is asked; it forgets all of it at a restart, and then computes them anew.

import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { quoteText } from '../sql.ts';

export interface Refresh {
  readonly name: string;
  /** Since the end of the last computation that succeeded; null = none has since the engine started. */
  readonly ageSeconds: number | null;
  /** What that one took. */
  readonly tookSeconds: number | null;
  /** Of the last one, in the engine's words; null = it did not fail. */
  readonly failure: string | null;
}

interface Row {
  readonly view: string;
  readonly age: number | null;
  readonly took: number | null;
  readonly exception: string;
}

/** Rejects with a PipelineError where they cannot be asked for. */
export async function refreshesIn(
  client: ClickhouseClient,
  database: string,
  signal: AbortSignal,
): Promise<readonly Refresh[]> {
  try {
    const rows = await client.read<Row>(
      `SELECT view, toFloat64(dateDiff('second', last_success_time, now())) AS age,` +
        ` last_success_duration_ms / 1000 AS took, exception` +
        ` FROM system.view_refreshes WHERE database = ${quoteText(database)}`,
      { signal },
    );
    return rows.map(({ view, age, took, exception }) => ({
      name: view,
      ageSeconds: age,
      tookSeconds: took,
      failure: exception === '' ? null : firstLine(exception),
    }));
  } catch (cause) {
    throw sinkError(cause, 'asking how old the aggregates are');
  }
}

/** Without the engine's stack. */
const firstLine = (exception: string): string => exception.split(/, Stack trace|\n/, 1)[0]!;
