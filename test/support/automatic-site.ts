// Pages with what tracks by itself in them, and a tracker that tells a server at once: what was tracked, and when. The parts
// are those of sdk/src/automatic, bundled as they are; the tracker is not the SDK's, so that only they are tested.

import { join } from 'node:path';

/** What a part tracked: type and fields, where, and when by the clock of its page. */
export interface Told {
  readonly type: string;
  readonly on: string;
  readonly atMs: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface AutomaticSite {
  readonly url: string;
  /** In the order in which they were tracked. */
  told(type?: string): readonly Told[];
  /** What was told, and what pages that were opened until now have yet to tell. */
  forget(): void;
  close(): Promise<void>;
}

export interface SiteFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SiteOptions {
  /** By path: what stands in the page. Scripts have `auto`, `tracker`, `ahead`, by which the tracker's clock may jump, and `leave`. */
  readonly pages: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, SiteFile>>;
}

const folder = join(import.meta.dir, '../../sdk/src/automatic');
const parts = ['page-views', 'page-time', 'clicks', 'player', 'vitals'];

/** As a page sends it: beacons overtake each other, so each is numbered. */
interface Numbered extends Told {
  readonly page: string;
  readonly nth: number;
}

/** In the page, before all else. */
const tracker = `
  const page = document.currentScript.dataset.visits + crypto.randomUUID();
  let nth = 0;
  const listeners = new Set();
  const left = () => listeners.forEach(listener => listener());
  window.ahead = 0;
  window.tracker = {
    track(type, fields) {
      navigator.sendBeacon('/told', JSON.stringify({ page, nth: nth++, type, on: location.pathname, atMs: performance.timeOrigin + performance.now(), fields }));
      return type;
    },
    page: fields => tracker.track('page_view', fields),
    sessionId: 'session',
    onLeave(listener) { listeners.add(listener); return () => listeners.delete(listener); },
    now: () => performance.now() + ahead,
  };
  window.leave = left;
  addEventListener('pagehide', left);
  addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && left());
`;

/** All parts as one script that lays them into `auto`. */
async function bundled(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(folder, 'all.ts')],
    files: { [join(folder, 'all.ts')]: parts.map(part => `export * from './${part}.ts';`).join('\n') },
    target: 'browser',
    format: 'esm',
  });
  const text = await outputs[0]!.text();
  return `{${tracker}\n${text.replace(/export \{([^}]*)\};?\s*$/, 'window.auto = {$1};')}}`;
}

export async function automaticSite({ pages, files = {} }: SiteOptions): Promise<AutomaticSite> {
  const script = await bundled();
  const told: Told[] = [];
  /** How many of a page's are told; and those that came before one of them. */
  let tellings = new Map<string, { count: number; readonly early: Map<number, Told> }>();
  let visits = 0;
  function take({ page, nth, ...event }: Numbered): void {
    if (!page.startsWith(`${visits} `)) return;
    const telling = tellings.get(page) ?? { count: 0, early: new Map() };
    tellings.set(page, telling);
    telling.early.set(nth, event);
    for (let next = telling.early.get(telling.count); next !== undefined; next = telling.early.get(telling.count)) {
      told.push(next);
      telling.early.delete(telling.count++);
    }
  }
  const site = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (path === '/told') {
        take((await request.json()) as Numbered);
        return new Response();
      }
      if (path === '/auto.js') return new Response(script, { headers: { 'content-type': 'text/javascript' } });
      const file = files[path];
      if (file !== undefined) return new Response(file.bytes, { headers: { 'content-type': file.type } });
      const page = pages[path];
      return page === undefined
        ? new Response('no such page', { status: 404 })
        : new Response(
            `<!doctype html><title>${path}</title><script src="/auto.js" data-visits="${visits} "></script><body>${page}`,
            {
              headers: { 'content-type': 'text/html' },
            },
          );
    },
  });
  return {
    url: `http://127.0.0.1:${site.port}`,
    told: type => told.filter(event => type === undefined || event.type === type).toSorted((a, b) => a.atMs - b.atMs),
    forget() {
      visits++;
      told.length = 0;
      tellings = new Map();
    },
    close: () => site.stop(true),
  };
}
