// What flows, as it does: the parts an event passes, with rates and lag, and how they went in the last minutes.

import { useState } from 'preact/hooks';
import type { Stats } from '../../ports/passing.ts';
import type { FlowPart } from '../answers.ts';
import { Chart, type Line } from './chart.tsx';
import { Picture } from './flow-picture.tsx';
import { Grid, Problem, View } from './parts.tsx';
import { history, streamProblem } from './stats.ts';
import { useStore } from './store.ts';
import type { Viewed } from './viewed.ts';
import { bytes, milliseconds, number, rate, seconds } from './words.ts';

export function Flow({ overview }: Viewed) {
  const kept = useStore(history);
  const problem = useStore(streamProblem);
  const last = kept.at(-1);
  const told = Object.entries(last?.problems ?? {}).filter(([, words]) => words !== '');
  return (
    <View title="Flow">
      {problem !== '' && problem !== 'not yet asked' && <Problem words={`Not live: ${problem}. It is tried again.`} />}
      {last !== undefined && !last.ready && (
        <Problem words={['Not ready for events.', ...told.map(([part, words]) => `${part}: ${words}`)].join('\n')} />
      )}
      <Picture parts={overview.flow} linesOf={part => linesOf(part, last)} isMoving={(last?.events.in ?? 0) > 0} />
      <Charts kept={kept} />
      {last !== undefined && <Types last={last} />}
    </View>
  );
}

/** What is told of a part, in a few words each. */
function linesOf(part: FlowPart['id'], last: Stats | undefined): readonly (readonly [name: string, words: string])[] {
  if (last === undefined) return [];
  switch (part) {
    case 'in':
      return [
        ['accepted', rate(last.events.in)],
        ['rejected', rate(last.events.rejected)],
        ['failed', rate(last.events.failed)],
        ['answers, p99', milliseconds(last.answers.p99_ms)],
      ];
    case 'log':
      return [
        ['acknowledged, p99', milliseconds(last.ack.p99_ms)],
        ['not yet read', number(last.lag.events)],
        ['breaker', last.breaker_open ? 'open' : 'closed'],
      ];
    case 'buffer':
      return [
        ['waiting', number(last.buffer.events)],
        ['size', bytes(last.buffer.bytes)],
        ['oldest', seconds(last.buffer.oldest_seconds)],
        ...(last.buffer.quarantined > 0 ? [['set aside', number(last.buffer.quarantined)] as const] : []),
      ];
    case 'tables':
      return [
        ['rows', rate(last.events.out)],
        ['lag', seconds(last.lag.seconds)],
        ['readable, p99', milliseconds(last.freshness_p99_ms)],
        ['dead letters', number(last.dead_letters.total)],
        ...(last.inserts.halted.length > 0 ? [['halted', last.inserts.halted.join(', ')] as const] : []),
      ];
    case 'archive':
      return [
        ['lag', seconds(last.archive.lag_seconds)],
        ['not yet kept', number(last.archive.lag_events)],
      ];
    case 'content':
      return [];
  }
}

const spans = [2, 5, 10] as const;

function Charts({ kept }: { readonly kept: readonly Stats[] }) {
  const [minutes, setMinutes] = useState<number>(spans[0]);
  const from = Date.now() - minutes * 60_000;
  const shown = kept.filter(({ at }) => Date.parse(at) >= from);
  const times = shown.map(({ at }) => Date.parse(at) / 1_000);
  const line = (label: string, of: (stats: Stats) => number | null): Line => ({ label, values: shown.map(of) });
  return (
    <>
      <div class="tools span">
        <label>
          Last{' '}
          <select value={String(minutes)} onChange={event => setMinutes(Number(event.currentTarget.value))}>
            {spans.map(span => (
              <option key={span} value={String(span)}>
                {span} minutes
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="charts">
        <Chart
          title="Events in and rows out"
          times={times}
          tell={rate}
          lines={[
            line('accepted', ({ events }) => events.in),
            line('rows', ({ events }) => events.out),
            line('rejected', ({ events }) => events.rejected),
          ]}
        />
        <Chart
          title="How long it takes, p99"
          times={times}
          tell={milliseconds}
          lines={[
            line('answers', ({ answers }) => answers.p99_ms),
            line('log', ({ ack }) => ack.p99_ms),
            line('readable', stats => stats.freshness_p99_ms),
          ]}
        />
        <Chart
          title="Lag of the tables"
          times={times}
          tell={seconds}
          lines={[line('tables', ({ lag }) => lag.seconds), line('archive', ({ archive }) => archive.lag_seconds)]}
        />
        <Chart
          title="Waiting on disk"
          times={times}
          tell={number}
          lines={[line('events', ({ buffer }) => buffer.events)]}
        />
      </div>
    </>
  );
}

function Types({ last }: { readonly last: Stats }) {
  const busy = Object.entries(last.types)
    .filter(([, rates]) => rates.in + rates.rejected + rates.out + rates.failed + rates.dropped > 0)
    .toSorted(([, a], [, b]) => b.in - a.in || b.out - a.out);
  return (
    <section class="panel">
      <h2>By type, over {number(last.window_seconds)} s</h2>
      {busy.length === 0 ? (
        <p class="dim">Nothing passes just now.</p>
      ) : (
        <Grid
          caption="Rates by event type"
          columns={['Type', '#Accepted', '#Rejected', '#Failed', '#Dropped', '#Rows']}
          rows={busy.map(([type, rates]) => [
            <a key={type} href={`#/catalogue/${encodeURIComponent(type)}`}>
              {type}
            </a>,
            ...[rates.in, rates.rejected, rates.failed, rates.dropped, rates.out].map(rate),
          ])}
        />
      )}
    </section>
  );
}
