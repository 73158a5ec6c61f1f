// WebKit as GTK has it: MiniBrowser and WebKitWebDriver, packages of the system, installed with CI set, on a display of Xvfb.
// A driven one keeps its storage in memory; one that nobody drives has it in its profile.

import { mkdirSync } from 'node:fs';
import { packaged } from './apt.ts';
import { asText, type BrowserEngine, firstSaid, fromText, processGroup, type Tab } from './browser-engine.ts';
import { freePorts } from './free-ports.ts';
import { temporaryFolder } from './ugc.ts';
import { eventually, soon } from './until.ts';

const driver = 'WebKitWebDriver';
const browser = (): string | undefined =>
  [...new Bun.Glob('/usr/lib/*/webkit2gtk-4.*/MiniBrowser').scanSync('/')].at(-1);

export const webkit: BrowserEngine = {
  name: 'WebKit',
  hasPrivacyControl: false,
  missing: () =>
    packaged('webkit2gtk-driver', () => Bun.which(driver) !== null && browser() !== undefined) ??
    packaged('xvfb', () => Bun.which('Xvfb') !== null),
  async drive({ isStorageRefused = false } = {}) {
    const screen = await display();
    const [port] = (await freePorts(1)) as [number];
    const group = processGroup([driver, `--port=${port}`], surroundings(temporaryFolder(), screen.name));
    void group.stderr.cancel();
    const url = `http://127.0.0.1:${port}`;
    await eventually(async () => (await fetch(`${url}/status`)).ok, { what: 'WebKitWebDriver to answer' });
    const args = ['--automation', ...(isStorageRefused ? ['--enable-html5-local-storage=false'] : [])];
    const { sessionId, capabilities } = (await ask(`${url}/session`, 'POST', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary: browser(), args } } },
    })) as { sessionId: string; capabilities: { browserVersion: string } };
    const open = await tabsOf(`${url}/session/${sessionId}`);
    return {
      version: capabilities.browserVersion,
      open,
      async close() {
        await Promise.all([group.kill(), screen.close()]);
      },
    };
  },
  async visit(profile, url) {
    const screen = await display();
    mkdirSync(profile, { recursive: true });
    const group = processGroup([browser()!, url], surroundings(profile, screen.name));
    return {
      async kill() {
        await Promise.all([group.kill(), screen.close()]);
      },
    };
  },
  close: async () => {},
};

const surroundings = (home: string, screen: string): Readonly<Record<string, string>> => ({
  HOME: home,
  DISPLAY: screen,
});

interface Display {
  readonly name: string;
  close(): Promise<void>;
}

/** One that no other server has. */
async function display(): Promise<Display> {
  const group = processGroup(['Xvfb', '-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {});
  const number = await soon(firstSaid(group.stdout, /^(\d+)\n/), 'a display');
  return { name: `:${number}`, close: group.kill };
}

async function ask(url: string, method: 'GET' | 'POST' | 'DELETE', body?: unknown): Promise<unknown> {
  const answer = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const { value } = (await answer.json()) as { value: { message?: string } };
  if (!answer.ok) throw new Error(`WebKit: ${value.message}`);
  return value;
}

/**
 * Opens tabs. A session speaks of one at a time, so it is told of which before each command, one after the other. It ends
 * with its last tab, so an empty one is opened before that is closed; and those it opens stay behind the first.
 */
async function tabsOf(session: string): Promise<() => Promise<Tab>> {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(act);
    last = done.catch(() => {});
    return done;
  };
  const switchTo = (handle: string): Promise<unknown> => ask(`${session}/window`, 'POST', { handle });
  let spare: string | null = (await ask(`${session}/window`, 'GET')) as string;
  const open = new Set<string>();
  const newHandle = async (): Promise<string> => {
    for (const handle of [...open].slice(0, 1)) await switchTo(handle); // it was told of one that is closed
    return ((await ask(`${session}/window/new`, 'POST', { type: 'tab' })) as { handle: string }).handle;
  };

  const tabOf = (handle: string): Tab => {
    const tell = (path: string, body: unknown): Promise<unknown> =>
      inTurn(async () => {
        await switchTo(handle);
        return ask(`${session}/${path}`, 'POST', body);
      });
    return {
      goto: async url => void (await tell('url', { url })),
      reload: async () => void (await tell('refresh', {})),
      async evaluate(expression) {
        const script = `const done = arguments[0]; ${asText(expression)}.then(done)`;
        return fromText(String(await tell('execute/async', { script, args: [] })));
      },
      close: () =>
        inTurn(async () => {
          if (open.size === 1) spare = await newHandle();
          open.delete(handle);
          await switchTo(handle);
          await ask(`${session}/window`, 'DELETE');
        }),
    };
  };
  return () =>
    inTurn(async () => {
      const handle = spare ?? (await newHandle());
      spare = null;
      open.add(handle);
      return tabOf(handle);
    });
}
