// How the dashboards look, as far as a rule can say it: nothing lies over anything, and every panel says what it is, in which
// unit, of what. What a rule cannot say is looked at: npm run pictures.

import { describe, expect, test } from 'bun:test';
import { dashboards, type Panel } from '../support/rule-files.ts';

const all = await dashboards();
const shown = all.flatMap(({ title, panels }) =>
  panels
    .filter(({ type }) => type !== 'row')
    .map(panel => ({ of: `${title}: ${panel.title}`, dashboard: title, ...panel })),
);

test('there are some', () => {
  expect(all.length).toBeGreaterThanOrEqual(5);
  expect(shown.length).toBeGreaterThan(50);
});

describe.each(all.map(({ title, panels }) => [title, panels] as const))('%s', (_, panels) => {
  const within = (panel: Panel, x: number, y: number): boolean => {
    const { gridPos: at } = panel;
    return at.x <= x && x < at.x + at.w && at.y <= y && y < at.y + at.h;
  };

  test('each cell of its grid is of one panel at most, and none is beyond its 24 columns', () => {
    const most = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
    const crowded = Array.from({ length: most * 25 }, (_, cell) => [cell % 25, Math.floor(cell / 25)] as const)
      .map(([x, y]) => ({ x, y, titles: panels.filter(panel => within(panel, x, y)).map(({ title }) => title) }))
      .filter(({ x, titles }) => titles.length > (x < 24 ? 1 : 0));
    expect(crowded).toEqual([]);
  });

  test('no panel is too narrow to be read', () => {
    expect(panels.filter(({ gridPos: { w } }) => w < 6).map(({ title }) => title)).toEqual([]);
  });

  test('nothing is asked twice, and no two panels of a row have one title', () => {
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(asked.filter((expr, at) => asked.indexOf(expr) !== at)).toEqual([]);
    let row = '';
    const titles = panels.flatMap(({ type, title }) => {
      if (type === 'row') row = title;
      return type === 'row' ? [] : [`${row}: ${title}`];
    });
    expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
  });
});

/** By unit, metrics that have it: what is asked may be of no other. */
const measured: Readonly<Record<string, RegExp>> = {
  s: /_seconds(?!_count)|freshness|ack_seconds/,
  bytes: /_bytes/,
  Bps: /_bytes_total/,
  percentunit: /cpu_seconds_total/,
};
const perSecond = new Set(['eps', 'reqps', 'rowsps', 'ops', 'cpm', 'Bps', 'percentunit']);

describe.each(shown.map(panel => [panel.of, panel] as const))(
  '%s',
  (_, { type, description, fieldConfig, options, targets = [] }) => {
    const { unit, thresholds, noValue } = fieldConfig!.defaults;

    test('says what it shows, and what it is measured in', () => {
      expect(description ?? '').toMatch(/^[A-Z0-9].*\.$/);
      expect(unit).toBeTruthy();
      for (const { expr } of targets) {
        const isRate = /\brate\(|:rate\dm/.test(expr) && !/histogram_quantile/.test(expr);
        expect({ expr, isRate }).toEqual({ expr, isRate: perSecond.has(unit!) });
        expect(expr).toMatch(measured[unit!] ?? /./);
      }
    });

    test('names each of its series, by labels that the answer has', () => {
      expect(targets.length).toBeGreaterThan(0);
      for (const { expr, legendFormat } of targets) {
        expect(legendFormat).toBeTruthy();
        const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
        // One series, or as many as there are values of the label in its name.
        const kept = /\b(?:by|without) \((?:le, )?([a-z_, ]+)\)/
          .exec(expr)?.[1]
          ?.split(', ')
          .filter(label => label !== 'le');
        if (labels.length > 0 && kept !== undefined) expect(kept).toEqual(labels);
        // A 0 of nothing in particular would have no name.
        if (labels.length > 0) expect(expr).not.toMatch(/or vector\(0\)/);
      }
    });

    test('a number is what it is now, and red for a reason of its own', () => {
      if (type !== 'stat') return;
      expect(targets.map(({ instant }) => instant)).toEqual([true]);
      expect(thresholds?.steps.map(({ color }) => color)).toEqual(expect.arrayContaining([expect.any(String)]));
      expect(thresholds!.steps.map(({ value }) => value)).not.toContain(80);
    });

    test('what is 0 or 1 is a band, with a word for each', () => {
      if (unit !== 'bool_yes_no') return;
      expect(type).toBe('state-timeline');
      const words = fieldConfig!.defaults.mappings?.[0]?.options ?? {};
      expect(words['1']?.text).toBeTruthy();
      expect(words['0']?.text ?? noValue).toBeTruthy();
    });

    test('forty names do not take the room of the curves', () => {
      const isMany = targets.some(({ legendFormat }) => /^\{\{(topic|event_type|table)\}\}$/.test(legendFormat));
      if (type !== 'timeseries' || !isMany || noValue !== undefined) return;
      const few = /content_|log_replaced/.test(targets.map(({ expr }) => expr).join());
      if (!few) expect(options?.legend).toMatchObject({ displayMode: 'table', placement: 'right' });
    });
  },
);
