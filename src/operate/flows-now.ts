// What running instances say of the flows that they move, each asked once over GET /v1/stream; one that does not answer is away.

import { messageOf, PipelineError } from '../errors.ts';
import type { Stats } from '../ports/passing.ts';
import { watchInstance } from './watch.ts';

export interface InstanceFlows {
  readonly url: string;
  /** Null: it is away. */
  readonly stats: Stats | null;
  /** Why it is, in words; null = it is there. */
  readonly away: string | null;
}

/** Rates are of two looks, a second apart. */
const answerMsMax = 5_000;

export const instancesNow = (urls: readonly string[], key: string): Promise<readonly InstanceFlows[]> =>
  Promise.all(urls.map(url => askOne(url, key)));

async function askOne(url: string, key: string): Promise<InstanceFlows> {
  const over = new AbortController();
  const late = setTimeout(() => over.abort(), answerMsMax);
  const found: { stats: Stats | null; away: string | null } = { stats: null, away: null };
  try {
    await watchInstance({
      url,
      query: new URLSearchParams({ kinds: 'stats' }),
      key,
      signal: over.signal,
      onMessage: ({ event, data }) => {
        if (event !== 'stats' || found.stats !== null) return;
        found.stats = JSON.parse(data) as Stats;
        over.abort();
      },
      onState: words => {
        found.away = words;
        if (words !== null) over.abort();
      },
    });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    found.away = messageOf(error);
  } finally {
    clearTimeout(late);
  }
  if (found.stats !== null) return { url, stats: found.stats, away: null };
  return { url, stats: null, away: found.away ?? `it has said nothing for ${answerMsMax / 1_000} s` };
}
