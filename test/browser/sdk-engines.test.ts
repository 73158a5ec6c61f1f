// The SDK in Firefox and in WebKit, as the executable serves it: what sdk.test.ts asks of Chromium, asked of engines that have
// their own beacons, storages, caches of pages and clocks. Every `track` that returned is exactly one row.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DrivenBrowser, isWithout, type Tab, type VisitorSettings } from '../support/browser-engine.ts';
import { firefox } from '../support/firefox.ts';
import { nothingWaits, type SdkShop, sdkShop, track, waiting } from '../support/sdk-shop.ts';
import { eventually, temporaryFolder } from '../support/ugc.ts';
import { webkit } from '../support/webkit.ts';

/** Of so many, one at least gets to send: a busy Firefox may end any script at any moment of its tab's end. */
const closedTabs = 3;
/** Of so many, Firefox is all but sure to stop the script of one. */
const backgroundTabs = 3;

let shop: SdkShop;
beforeAll(async () => {
  shop = await sdkShop();
}, 120_000);
afterAll(async () => expect(await shop.close()).toBe(0));

async function begun(tab: Tab, options?: Readonly<Record<string, unknown>>): Promise<Tab> {
  await tab.goto(shop.url);
  await tab.evaluate(shop.begin(options));
  return tab;
}

async function expectRows(element: string, ids: readonly string[]): Promise<void> {
  const what = `a row for each of ${element}`;
  await eventually(async () => (await shop.stored(element)).length >= ids.length, { what });
  expect(await shop.stored(element)).toEqual(ids.toSorted());
}

/** What a profile has of localStorage, as its files are. Empty while a transaction is under way. */
function localStorageFiles(profile: string): string {
  const files = readdirSync(profile, { recursive: true, encoding: 'utf8' }).filter(path =>
    /\/(ls|localstorage)\/.+\./.test(path),
  );
  if (files.some(path => path.endsWith('-journal'))) return '';
  return files.map(path => readFileSync(join(profile, path), 'latin1')).join('');
}

const engines = [firefox, webkit].filter(engine => !isWithout(engine));

for (const engine of engines)
  describe(engine.name, () => {
    afterAll(() => engine.close());
    const named = (scenario: string): string => `${engine.name} ${scenario}`;

    async function withVisitor(use: (visitor: DrivenBrowser) => Promise<void>, settings?: VisitorSettings) {
      shop.network.heal();
      const visitor = await engine.drive(settings);
      await use(visitor).finally(() => visitor.close());
    }

    test('what is tracked is sent with its batch, on demand and at a reload', () =>
      withVisitor(async visitor => {
        console.log(`${engine.name} ${visitor.version}`);
        const tab = await begun(await visitor.open());
        await expectRows(named('batch'), await track(tab, named('batch')));
        const ids = await track(tab, named('flushed'));
        await tab.evaluate('sdk.flush()');
        expect(await waiting(tab)).toBe(0);
        await expectRows(named('flushed'), ids);
        const reloaded = await track(tab, named('reloaded'));
        await tab.reload();
        await expectRows(named('reloaded'), reloaded);
        expect(await waiting(tab)).toBe(3);
        await tab.evaluate(shop.begin());
        await nothingWaits(tab);
        await expectRows(named('reloaded'), reloaded);
      }));

    for (const [way, before] of [
      ['a beacon', ''],
      ['what stands in for a beacon', '(navigator.sendBeacon = () => false)'],
    ] as const)
      test(`tabs that are closed right after tracking send it by ${way}; of one whose script the engine ends before, the next page does`, () =>
        withVisitor(async visitor => {
          const element = named(way);
          const ids: string[] = [];
          for (let i = 0; i < closedTabs; i++) {
            const tab = await begun(await visitor.open());
            if (before !== '') await tab.evaluate(before);
            ids.push(...(await track(tab, element)));
            await tab.close();
          }
          // Nobody else is there who might have sent it.
          await eventually(async () => (await shop.stored(element)).length > 0, { what: 'a row of a closed tab' });
          await begun(await visitor.open());
          await expectRows(element, ids);
        }));

    test('tabs in the background leave at once what they have to the next page when they are closed', () =>
      withVisitor(async visitor => {
        const behind: Tab[] = [];
        for (let i = 0; i < backgroundTabs; i++) behind.push(await begun(await visitor.open()));
        const front = await visitor.open();
        await front.goto(shop.url);
        shop.network.refuse();
        for (const tab of behind) {
          await track(tab, named('behind'));
          await tab.close();
        }
        const leases = () =>
          front.evaluate<number>(`Object.keys(localStorage).filter(key => !/ .* .* |^ugc$/.test(key)).length`);
        await eventually(async () => (await leases()) === 0, {
          what: 'no tab to be taken for a living one',
          msMax: 9_000,
        });
      }));

    test('a server that is away and comes back, before and after the tab has gone', () =>
      withVisitor(async visitor => {
        const tab = await begun(await visitor.open());
        shop.network.refuse();
        const ids = await track(tab, named('away'));
        await tab.evaluate('sdk.flush()');
        ids.push(...(await track(tab, named('away'))));
        await tab.close();
        shop.network.heal();
        const next = await begun(await visitor.open());
        await expectRows(named('away'), ids);
        shop.network.refuse();
        const later = await track(next, named('away for a while'));
        await next.evaluate('sdk.flush()');
        shop.network.heal();
        await expectRows(named('away for a while'), later);
        await nothingWaits(next);
        expect(await next.evaluate('dropped')).toEqual([]);
      }));

    test('two tabs: each sends its own, and one takes over what the other has left', () =>
      withVisitor(async visitor => {
        const [one, other] = [await begun(await visitor.open()), await begun(await visitor.open())];
        shop.network.refuse();
        const ids = [...(await track(one, named('tabs'))), ...(await track(other, named('tabs')))];
        await Promise.all([one, other].map(tab => tab.evaluate('sdk.flush()')));
        const left = await track(one, named('left'));
        await one.close();
        shop.network.heal();
        await eventually(
          async () => {
            await other.evaluate('sdk.flush()');
            return (await waiting(other)) === 0;
          },
          { what: 'the other to take over' },
        );
        await expectRows(named('tabs'), ids);
        await expectRows(named('left'), left);
      }));

    test('an app that moves: a view of each page, and the time on it', () =>
      withVisitor(async visitor => {
        const tab = await visitor.open();
        const page = `${shop.url}auto`;
        await tab.goto(`${page}#secret`);
        const session = await tab.evaluate<string>('ugc.sessionId');
        const stay = 'new Promise(done => setTimeout(done, 300)).then(() => performance.now())';
        await tab.evaluate(stay);
        await tab.evaluate(`history.pushState(null, '', '/auto/film/1')`);
        const stayedMs = await tab.evaluate<number>(stay);
        await tab.evaluate(`history.replaceState(null, '', '/auto/film/1?t=20')`);
        await tab.evaluate(
          `new Promise(done => { addEventListener('popstate', () => done(), { once: true }); history.back() })`,
        );
        await tab.close();
        const told = (what: string, type: string, count: number) =>
          eventually(
            async () => {
              const rows = await shop.ugc.query<Record<string, string | null>>(
                `SELECT ${what} FROM ugc.${type} WHERE anonymous_id = '${session}' ORDER BY toString(event_id)`,
              );
              return rows.length >= count && rows;
            },
            { what: `${count} of ${type}` },
          );
        expect(await told('page_url, referrer_url', 'page_view', 4)).toEqual([
          { page_url: page, referrer_url: null },
          { page_url: `${page}/film/1`, referrer_url: page },
          { page_url: `${page}/film/1?t=20`, referrer_url: `${page}/film/1` },
          { page_url: page, referrer_url: `${page}/film/1?t=20` },
        ]);
        const times = (await told('page_url, visible_ms', 'page_time', 2)).slice(0, 2);
        expect(times.map(({ page_url }) => page_url)).toEqual([page, `${page}/film/1`]);
        for (const { visible_ms } of times) expect(Number(visible_ms)).toBeWithin(290, stayedMs + 1);
      }));

    test('a page that came back out of the back/forward cache goes on, and repeats nothing', () =>
      withVisitor(async visitor => {
        const tab = await begun(await visitor.open());
        await tab.evaluate(`addEventListener('pageshow', ({ persisted }) => { window.cameBack = persisted; })`);
        const ids = await track(tab, named('slept'));
        await tab.goto(`${shop.url}other`);
        await tab.evaluate('void setTimeout(() => history.back())');
        await eventually(() => tab.evaluate('window.cameBack === true'), { what: 'the page out of the cache' });
        ids.push(...(await track(tab, named('slept'))));
        await tab.evaluate('sdk.flush()');
        expect(await waiting(tab)).toBe(0);
        await expectRows(named('slept'), ids);
      }));

    test('a storage that is refused: memory, and nothing is thrown', () =>
      withVisitor(
        async visitor => {
          const tab = await begun(await visitor.open());
          expect(await tab.evaluate('(() => { try { return !localStorage } catch { return true } })()')).toBe(true);
          await expectRows(named('refused'), await track(tab, named('refused')));
          const ids = await track(tab, named('refused and closed'));
          await tab.close();
          await expectRows(named('refused and closed'), ids);
        },
        { isStorageRefused: true },
      ));

    test('a page of the server’s own origin sends large batches compressed', () =>
      withVisitor(async visitor => {
        const tab = await visitor.open();
        await tab.goto(`${shop.ugc.url}/sdk.js`);
        await tab.evaluate(`new Promise((done, fail) => document.documentElement.append(Object.assign(
          document.createElement('script'), { src: '/sdk.js', onload: () => done(), onerror: () => fail('no script') })))`);
        await tab.evaluate(`(() => {
          const original = window.fetch;
          window.encodings = [];
          window.fetch = (url, options) => {
            encodings.push(options.headers?.['content-encoding'] ?? '');
            return original(url, options);
          };
        })()`);
        await tab.evaluate(shop.begin({ url: '' }));
        await expectRows(named('compressed'), await track(tab, named('compressed'), 50));
        expect(await tab.evaluate('encodings')).toEqual(['gzip']);
      }));

    test('what track costs a page', () =>
      withVisitor(async visitor => {
        const tab = await begun(await visitor.open());
        shop.network.refuse();
        const tracks = `sdk.track('click', { element: '${named('cost')}', page_url: '/' })`;
        const burst = await tab.evaluate<number>(`(() => {
          const from = performance.now();
          for (let i = 0; i < 400; i++) ${tracks};
          return (performance.now() - from) / 400;
        })()`);
        // Clocks of pages are coarse: the mean of many is not.
        const rested = await tab.evaluate<number>(`(async () => {
          let ms = 0;
          for (let i = 0; i < 40; i++) {
            await new Promise(done => setTimeout(done, 25));
            const from = performance.now();
            ${tracks};
            ms += performance.now() - from;
          }
          return ms / 40;
        })()`);
        console.log(`${engine.name}: track ${burst.toFixed(3)} ms in a burst, ${rested.toFixed(2)} ms after a rest`);
        expect(await waiting(tab)).toBe(440);
      }));

    if (engine.hasPrivacyControl)
      test('who says Global Privacy Control is not tracked, and nothing is written', () =>
        withVisitor(
          async visitor => {
            const tab = await begun(await visitor.open());
            expect(await track(tab, named('quiet'), 1)).toEqual(['']);
            expect(await tab.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 0]);
          },
          { isPrivacyControlled: true },
        ));
  });

// All at once: what a killed page has left is its own for ten seconds.
test.skipIf(engines.length === 0)('browsers that are killed: what was on disk is sent by the next visit', async () => {
  shop.network.refuse();
  const killed = engines.map(async engine => {
    const [profile, element] = [temporaryFolder(), `${engine.name} killed`];
    const visit = await engine.visit(profile, `${shop.url}tracks?element=${element}`);
    const [first] = await eventually(() => shop.tracked.get(element), { what: 'an event' });
    const trackedAt = performance.now();
    const onDisk = () => localStorageFiles(profile).includes(first!);
    await eventually(onDisk, { what: 'an event in the files of the profile' });
    const writtenMs = Math.round(performance.now() - trackedAt);
    await visit.kill();
    return { engine, profile, element, first, writtenMs };
  });
  const left = await Promise.all(killed);
  shop.network.heal();
  for (const { engine, profile, element, first, writtenMs } of left) {
    const next = await engine.visit(profile, `${shop.url}visit?element=${element}`);
    const found = await eventually(() => shop.found.get(element), { what: 'the next visit' });
    const tracked = shop.tracked.get(element)!;
    const lost = tracked.filter(id => !found.includes(id)).length;
    console.log(`${engine.name}: on disk after ${writtenMs} ms; of ${tracked.length} events a kill took ${lost}`);
    expect(found).toContain(first!);
    await expectRows(element, found);
    await next.kill();
  }
});
