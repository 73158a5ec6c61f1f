// Firefox, headless: the package of the system, installed with CI set, driven by WebDriver BiDi over its own WebSocket.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packaged } from './apt.ts';
import { asText, type BrowserEngine, firstSaid, fromText, processGroup, type Tab } from './browser-engine.ts';
import { temporaryFolder } from './ugc.ts';
import { soon } from './until.ts';

type Preferences = Readonly<Record<string, string | number | boolean>>;
const program = 'firefox-esr';

/** Nothing is asked of anybody at the first start, and after a kill no page opens that nobody has named. */
const quiet: Preferences = {
  'app.normandy.enabled': false,
  'app.update.auto': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.startup.max_resumed_crashes': -1,
};

/** In Firefox's settings: cookies and site data of all sites are refused. */
const refuseAll = 2;

export const firefox: BrowserEngine = {
  name: 'Firefox',
  hasPrivacyControl: true,
  missing: () => packaged(program, () => Bun.which(program) !== null),
  async drive({ isStorageRefused = false, isPrivacyControlled = false } = {}) {
    const key = `${isStorageRefused} ${isPrivacyControlled}`;
    runs[key] ??= run({
      ...quiet,
      ...(isStorageRefused && { 'network.cookie.cookieBehavior': refuseAll }),
      'privacy.globalprivacycontrol.enabled': isPrivacyControlled,
    });
    const { send, version } = await runs[key];
    const { userContext } = (await send('browser.createUserContext', {})) as { userContext: string };
    return {
      version,
      async open() {
        const asked = { type: 'tab', userContext };
        const { context } = (await send('browsingContext.create', asked)) as { context: string };
        return tabOf(send, context);
      },
      close: async () => void (await send('browser.removeUserContext', { userContext })),
    };
  },
  visit: async (profile, url) => started(profile, [url], quiet),
  async close() {
    for (const [key, running] of Object.entries(runs)) {
      delete runs[key];
      await (await running).kill();
    }
  },
};

interface Running {
  readonly version: string;
  readonly send: Send;
  kill(): Promise<void>;
}

/** By what is set: visitors of one process have each a container of their own. */
const runs: Record<string, Promise<Running>> = {};

async function run(preferences: Preferences): Promise<Running> {
  const { stderr, kill } = started(temporaryFolder(), ['--remote-debugging-port=0', 'about:blank'], preferences);
  const address = await soon(firstSaid(stderr, /BiDi listening on (ws:\S+)/), 'Firefox to listen');
  const send = await connected(`${address}/session`);
  const { capabilities } = (await send('session.new', { capabilities: {} })) as {
    capabilities: { browserVersion: string };
  };
  return { send, kill, version: capabilities.browserVersion };
}

function started(profile: string, args: readonly string[], preferences: Preferences) {
  mkdirSync(profile, { recursive: true });
  const lines = Object.entries(preferences).map(([key, value]) => `user_pref("${key}", ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  return processGroup([program, '--headless', '--no-remote', '--profile', profile, ...args], { HOME: profile });
}

type Send = (method: string, params: Readonly<Record<string, unknown>>) => Promise<unknown>;

interface Message {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly result?: unknown;
  readonly message?: string;
}

async function connected(address: string): Promise<Send> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  socket.onmessage = ({ data }) => {
    const { id = 0, type, result, message } = JSON.parse(String(data)) as Message;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (type === 'success') asked?.resolve(result);
    else asked?.reject(new Error(`Firefox: ${message}`));
  };
  socket.onclose = () => {
    for (const { reject } of waiting.values()) reject(new Error('Firefox has gone'));
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error(`no connection to ${address}`));
  await promise;
  let last = 0;
  return (method, params) => {
    const asked = Promise.withResolvers<unknown>();
    waiting.set(++last, asked);
    socket.send(JSON.stringify({ id: last, method, params }));
    return soon(asked.promise, `Firefox to answer ${method}`);
  };
}

function tabOf(send: Send, context: string): Tab {
  return {
    goto: async url => void (await send('browsingContext.navigate', { context, url, wait: 'complete' })),
    reload: async () => void (await send('browsingContext.reload', { context, wait: 'complete' })),
    async evaluate(expression) {
      const answer = await send('script.evaluate', {
        expression: asText(expression),
        target: { context },
        awaitPromise: true,
      });
      const { result, exceptionDetails } = answer as {
        result?: { value: string };
        exceptionDetails?: { text: string };
      };
      if (result === undefined) throw new Error(`in the page: ${exceptionDetails?.text}`);
      return fromText(result.value);
    },
    close: async () => void (await send('browsingContext.close', { context })),
  };
}
