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

/** In the page, before all else. */
const tracker = `
  const listeners = new Set();
  const left = () => listeners.forEach(listener => listener());
  window.ahead = 0;
  window.tracker = {
    track(type, fields) {
      navigator.sendBeacon('/told', JSON.stringify({ type, on: location.pathname, atMs: performance.timeOrigin + performance.now(), fields }));
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
  const site = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (path === '/told') {
        told.push((await request.json()) as Told);
        return new Response();
      }
      if (path === '/auto.js') return new Response(script, { headers: { 'content-type': 'text/javascript' } });
      const file = files[path];
      if (file !== undefined) return new Response(file.bytes, { headers: { 'content-type': file.type } });
      const page = pages[path];
      return page === undefined
        ? new Response('no such page', { status: 404 })
        : new Response(`<!doctype html><title>${path}</title><script src="/auto.js"></script><body>${page}`, {
            headers: { 'content-type': 'text/html' },
          });
    },
  });
  return {
    url: `http://127.0.0.1:${site.port}`,
    told: type => told.filter(event => type === undefined || event.type === type).toSorted((a, b) => a.atMs - b.atMs),
    forget: () => void told.splice(0),
    close: () => site.stop(true),
  };
}
