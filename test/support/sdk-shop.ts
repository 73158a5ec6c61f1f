// A shop whose pages load the SDK from an executable of another origin, over a network that may fail; and what its tests ask
// of a tab in any browser.

import type { Tab } from './browser-engine.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';
import { startUgc, temporaryFolder, type Ugc } from './ugc.ts';
import { eventually } from './until.ts';

export interface SdkShop {
  readonly ugc: Ugc;
  readonly network: TcpProxy;
  /**
   * Ends with /. Below it: `auto…` begins by its script tag alone, with page views and the time on pages; `tracks` tracks a
   * click every 50 ms, `visit` only begins; both tell the shop of it, by the `element` in their address.
   */
  readonly url: string;
  /** By element: ids of what `tracks` has tracked, in order. */
  readonly tracked: ReadonlyMap<string, readonly string[]>;
  /** By element: ids of the events that `visit` found when it began. */
  readonly found: ReadonlyMap<string, readonly string[]>;
  /** In the page: begins `sdk`; events go through the network. */
  begin(options?: Readonly<Record<string, unknown>>): string;
  /** Ids of the rows with this element, in order. */
  stored(element: string): Promise<string[]>;
  close(): Promise<number>;
}

export async function sdkShop(): Promise<SdkShop> {
  const [tracked, found] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const site = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname, search, searchParams } = new URL(request.url);
      const element = searchParams.get('element') ?? '';
      if (request.method === 'POST') {
        const ids = (await request.json()) as string[];
        if (pathname === '/tracked') tracked.set(element, [...(tracked.get(element) ?? []), ...ids]);
        else found.set(element, ids);
        return new Response();
      }
      const said = pathname.startsWith('/auto') ? automatic : '';
      const script = (alone[pathname] ?? '').replace('ELEMENT', element).replace('SEARCH', search);
      return new Response(
        `<!doctype html><title>a shop</title><script src="${ugc.url}/sdk.js" ${said}></script><body>films<script>${script}</script>`,
        { headers: { 'content-type': 'text/html' } },
      );
    },
  });
  const url = `http://127.0.0.1:${site.port}/`;
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [`--cors-origins=${url.slice(0, -1)}`, '--request-log=false'],
  });
  const network = await tcpProxy({ target: Number(new URL(ugc.url).port), random: Math.random });
  const automatic = `data-url="${ugc.url}" data-auto="pageViews pageTime" data-country="US" data-device="tv"`;

  const begin = (options: Readonly<Record<string, unknown>> = {}): string => {
    const given = { url: `http://127.0.0.1:${network.port}`, common: { country: 'US', device: 'tv' }, ...options };
    return `(() => {
      window.dropped = [];
      window.sdk = ugc.init({ ...${JSON.stringify(given)}, onDropped: (event, why) => dropped.push([event.element, why]) });
    })()`;
  };
  const alone: Readonly<Record<string, string>> = {
    '/tracks': `${begin()}; setInterval(() => {
      const id = sdk.track('click', { element: 'ELEMENT', page_url: '/' });
      fetch('/trackedSEARCH', { method: 'POST', body: JSON.stringify([id]) });
    }, 50)`,
    '/visit': `fetch('/foundSEARCH', { method: 'POST', body: JSON.stringify(${waitingIds}) }); ${begin()}`,
  };
  const stored = async (element: string): Promise<string[]> =>
    (await ugc.query<{ event_id: string }>(`SELECT event_id FROM ugc.click WHERE element = '${element}'`))
      .map(({ event_id }) => event_id)
      .toSorted();
  return {
    ugc,
    network,
    url,
    tracked,
    found,
    begin,
    stored,
    async close() {
      await site.stop(true);
      await network.close();
      return ugc.stop();
    },
  };
}

/** In the page: of the events that are in localStorage. */
const waitingIds = `Object.keys(localStorage).flatMap(key => /^ugc \\S+ \\S+ (\\S+)$/.exec(key)?.[1] ?? [])`;

export const waiting = (tab: Tab): Promise<number> => tab.evaluate(`${waitingIds}.length`);

export const nothingWaits = (tab: Tab): Promise<unknown> =>
  eventually(async () => (await waiting(tab)) === 0, { what: 'nothing to wait' });

/** Tracks so many clicks; the ids that `track` returned. */
export const track = (tab: Tab, element: string, count = 3): Promise<string[]> =>
  tab.evaluate(
    `Array.from({ length: ${count} }, () => sdk.track('click', { element: '${element}', page_url: location.href }))`,
  );
