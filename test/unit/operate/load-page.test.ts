// The report of a run as a file: whole without anything fetched, true to its numbers, and nothing of a stranger is obeyed in it.

import { describe, expect, test } from 'bun:test';
import { serials } from '../../../src/load/run-ids.ts';
import type { Span } from '../../../src/load/tally.ts';
import { tally } from '../../../src/load/tally.ts';
import { readFlags } from '../../../src/operate/arguments.ts';
import { escaped, evenAxis, logAxis, percentAxis, timeAxis } from '../../../src/operate/load-chart.ts';
import { loadFlags } from '../../../src/operate/load-flags.ts';
import { htmlOf, type Page, svgOf } from '../../../src/operate/load-page.ts';

const hostile = `</text><script>alert("1")</script>&\u0000\u202e'`;

function pageOf(own: readonly string[], { seconds = 3, answer = '200' } = {}): Page {
  const read = readFlags(loadFlags, own);
  if (!read.ok) throw new Error(read.problems.join());
  const counts = tally();
  const verdict = { accepted: 1, wronglyRefused: 0, wronglyTaken: 0, refused: 0, dropped: 0, failed: 0 };
  const perSecond: Span[] = [];
  for (let at = 0; at < seconds; at++) {
    for (let request = 1; request <= 10; request++) {
      counts.sent(1, 300, 0);
      counts.answered({ dueMs: 0, sentMs: 0, answeredMs: request, name: answer, retryAfter: false, verdict });
    }
    perSecond.push(counts.span({ at, seconds: 1, askedPerS: 10 }));
  }
  return {
    seed: 7,
    run: '01a2249fde32782a824d',
    flags: read.values,
    batch: 1,
    verified: null,
    endedEarly: false,
    startedAt: '2026-11-29T03:00:00.000Z',
    version: 'commit 0, built then',
    result: {
      totals: counts.totals(),
      seconds,
      unsent: 0,
      unanswered: 0,
      refusals: 1,
      refusal: answer,
      edges: read.values.url.map(url => ({ url, totals: counts.totals(), refusals: 1, refusal: answer })),
      curves: counts.curves(),
      perSecond,
      perLevel: [],
      acked: serials(),
      cpuUs: 1,
    },
  };
}

describe('the page', () => {
  test('fetches nothing and runs nothing, and a key is not in it', () => {
    const html = htmlOf(pageOf(['--key=ugc_sk_secret', '--url=http://user:word@a.example:1,http://b.example:2']));
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bon\w+=/);
    expect(html.match(/(?:src|href)=/g)).toBeNull();
    expect(html).not.toContain('ugc_sk_secret');
    expect(html).not.toContain('word@');
    expect(html).toContain('given, not shown');
    expect(html).toContain('http://b.example:2');
  });

  test('what an answer said is text, in the page and in the drawings', () => {
    for (const text of [htmlOf, svgOf].map(write => write(pageOf([`--ca=${hostile}`], { answer: hostile })))) {
      expect(text).not.toContain('<script>');
      expect(text).not.toContain('\u0000');
      expect(text).not.toContain('\u202e');
    }
    expect(htmlOf(pageOf([], { answer: hostile }))).toContain('&lt;script&gt;alert(&quot;1&quot;)');
  });

  test('a run of a week is as large a file as one of an hour', () => {
    expect(svgOf(pageOf([], { seconds: 20_000 })).length).toBeLessThan(60_000);
  });

  test('a run in which nothing was answered has a page too', () => {
    const page = pageOf([], { seconds: 1 });
    const empty = tally();
    const none = { ...page.result, totals: empty.totals(), curves: empty.curves(), perSecond: [] };
    for (const text of [htmlOf, svgOf].map(write => write({ ...page, result: none })))
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});

test('a curve rises to the longest time, at the share of all but one', () => {
  const { due } = pageOf([], { seconds: 100 }).result.curves;
  expect(due.at(-1)).toEqual([99.9, expect.closeTo(10, 1)]);
  expect(due.find(([percent]) => percent === 90)?.[1]).toBeCloseTo(9, 1);
  for (const at of [0, 1])
    expect(due.map(point => point[at])).toEqual(due.map(point => point[at]!).toSorted((a, b) => a - b));
});

describe('axes', () => {
  const labels = ({ ticks }: { readonly ticks: readonly { readonly label: string }[] }) =>
    ticks.map(({ label }) => label);

  test('end at a round number over the most', () => {
    expect(labels(evenAxis(3_900, String))).toEqual(['0', '1000', '2000', '3000', '4000']);
    expect(labels(evenAxis(0, String)).length).toBeGreaterThan(1);
    expect(labels(timeAxis(15.9)).at(-1)).toBe('14 s');
    expect(labels(timeAxis(604_800)).at(-1)).toBe('168 h');
    expect(labels(logAxis(0.8, 40))).toEqual(['0.1 ms', '1 ms', '10 ms', '50 ms']);
  });

  test('each nine is as wide as the one before', () => {
    const { place } = percentAxis(10_000);
    expect([0, 90, 99, 99.9, 99.99].map(place)).toEqual([0, 0.25, 0.5, 0.75, 1].map(at => expect.closeTo(at, 9)));
  });
});

test('text is escaped for both quotes, and is well formed', () => {
  expect(escaped(`<a href='x'>"&\ud800`)).toBe('&lt;a href=&#39;x&#39;&gt;&quot;&amp;\ufffd');
});
