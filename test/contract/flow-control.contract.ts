// What every place where wishes of flows are kept has to do (src/ports/flow-control.ts).

import { afterEach, describe, expect, test } from 'bun:test';
import type { FlowControl, Wish } from '../../src/ports/flow-control.ts';
import { until } from '../support/until.ts';

export interface KeptWishes {
  /** Another process' look at the same wishes. */
  open(): FlowControl;
  /** What is no wish gets among them; where others can write there. */
  spoil?(): Promise<void>;
  dispose?(): Promise<void>;
}

let moment = Date.parse('2026-11-21T12:00:00.000Z');
const wish = (flow: string, state: Wish['state'], why = 'a test'): Wish => ({
  flow,
  state,
  by: 'tester@machine',
  at: new Date(moment++).toISOString(),
  why,
});

export function flowControlContract(
  name: string,
  keep: () => Promise<KeptWishes>,
  { isOpenToOthers = false } = {},
): void {
  describe(`wishes of flows in ${name}`, () => {
    const open: FlowControl[] = [];
    const kept: KeptWishes[] = [];
    async function begun(): Promise<{ readonly all: KeptWishes; readonly here: FlowControl }> {
      const all = await keep();
      kept.push(all);
      return { all, here: another(all) };
    }
    function another(all: KeptWishes): FlowControl {
      const control = all.open();
      open.push(control);
      return control;
    }
    afterEach(async () => {
      for (const control of open.splice(0)) await control.close();
      for (const each of kept.splice(0)) await each.dispose?.();
    });
    const stateOf = (control: FlowControl, flow: string) => control.wishes()?.get(flow)?.state;
    const known = (control: FlowControl) => until(() => control.wishes() !== null, 'wishes that are known');

    test('nobody has wished anything: that is known, and is nothing', async () => {
      const { here } = await begun();
      await known(here);
      expect([...here.wishes()!]).toEqual([]);
      expect(here.problem()).toBeNull();
    });

    test('a wish is heard by who is there, with who, when and why, and by who comes later', async () => {
      const { all, here } = await begun();
      const there = another(all);
      await Promise.all([known(here), known(there)]);
      let calls = 0;
      there.watch(() => calls++);
      const paused = wish('tables', 'paused', 'ClickHouse “upgrade” ☃');
      await here.wish(paused);
      for (const control of [here, there]) await until(() => stateOf(control, 'tables') === 'paused', 'a wish heard');
      expect(there.wishes()!.get('tables')).toEqual({ ...paused, isDrained: false });
      expect(calls).toBeGreaterThan(0);
      await here.close();
      const later = another(all);
      await until(() => later.wishes()?.size === 1, 'a wish of before');
      expect(later.wishes()!.get('tables')).toEqual({ ...paused, isDrained: false });
    });

    test('the last wish of a flow counts, and flows have nothing to do with each other', async () => {
      const { all, here } = await begun();
      await known(here);
      for (let times = 0; times < 5; times++) {
        await here.wish(wish('tables', 'paused'));
        await here.wish(wish('tables', 'running'));
      }
      await here.wish(wish('tables:click', 'paused'));
      await here.wish(wish('content', 'draining'));
      const later = another(all);
      for (const control of [here, later]) await until(() => control.wishes()?.size === 3, 'three flows');
      expect([...later.wishes()!.values()].map(({ flow, state }) => `${flow} ${state}`).sort()).toEqual([
        'content draining',
        'tables running',
        'tables:click paused',
      ]);
    });

    test('wishes of several processes at one moment are all kept', async () => {
      const { all, here } = await begun();
      const controls = [here, another(all), another(all)];
      await Promise.all(controls.map(known));
      const types = Array.from({ length: 12 }, (_, at) => `tables:type_${at}`);
      await Promise.all(types.map((flow, at) => controls[at % 3]!.wish(wish(flow, 'paused'))));
      const later = another(all);
      await until(() => later.wishes()?.size === types.length, 'all of them');
      expect([...later.wishes()!.keys()].sort()).toEqual(types.toSorted());
    });

    test('drained is paused, for all; found out late it undoes no later wish', async () => {
      const { all, here } = await begun();
      const there = another(all);
      await known(there);
      const first = wish('tables', 'draining');
      await here.wish(first);
      await until(() => stateOf(there, 'tables') === 'draining', 'draining');
      await there.drained({ flow: 'tables', drained: first.at });
      await until(() => stateOf(here, 'tables') === 'paused', 'drained');
      expect(here.wishes()!.get('tables')).toEqual({ ...first, state: 'paused', isDrained: true });

      const second = wish('tables', 'running');
      await here.wish(second);
      await there.drained({ flow: 'tables', drained: first.at });
      await here.wish(wish('content', 'paused'));
      const later = another(all);
      for (const control of [here, there, later])
        await until(() => stateOf(control, 'content') === 'paused', 'what came behind it');
      for (const control of [here, there, later]) expect(stateOf(control, 'tables')).toBe('running');

      await here.wish(wish('tables', 'draining'));
      await until(
        () => stateOf(there, 'tables') === 'draining',
        'draining again: what was found out before is of before',
      );
    });

    if (isOpenToOthers)
      test('what is no wish changes nothing', async () => {
        const { all, here } = await begun();
        await here.wish(wish('archive', 'paused'));
        await all.spoil!();
        const last = wish('archive', 'running');
        await here.wish(last);
        const later = another(all);
        await until(() => stateOf(later, 'archive') === 'running', 'the last wish');
        expect([...later.wishes()!]).toEqual([['archive', { ...last, isDrained: false }]]);
      });

    test('closing ends it, and may be repeated', async () => {
      const { here } = await begun();
      await here.close();
      await here.close();
    });
  });
}
