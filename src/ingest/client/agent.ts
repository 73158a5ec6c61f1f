// What a User-Agent header tells: the kind of device, browser and system, and whether it is a program that says so. Each
// text is looked at once, and remembered. What comes out is of closed sets, whatever the header holds, but for the version.

import Bowser from 'bowser';
import { isbot } from 'isbot';
import { remembered } from '../../process/remembered.ts';

export interface Agent {
  /** mobile, tablet, desktop or tv; '' = not known. */
  readonly device: string;
  /** `browser`, `browser_version` (its first number) and `os`, as far as they are known. */
  readonly names: Readonly<Record<string, string>>;
  /** A crawler, a tool, or a library for HTTP: as those say who do not hide it. */
  readonly isBot: boolean;
}

export type ReadAgent = (userAgent: string) => Agent;

/** Texts that are remembered; those of a busy site are a few thousand. */
const numberMax = 10_000;
const charactersMax = 4_000_000;

export function agents(): ReadAgent {
  const known = remembered<Agent>({ numberMax, charactersMax });
  return userAgent => {
    const before = known.get(userAgent);
    if (before !== undefined) return before;
    const agent = agentOf(userAgent);
    known.set(userAgent, agent);
    return agent;
  };
}

/** No real one is longer; the rest is not looked at. */
const lengthMax = 512;

const devices: ReadonlySet<string> = new Set(['mobile', 'tablet', 'desktop', 'tv']);
const browsers: ReadonlySet<string> = new Set(Object.values(Bowser.BROWSER_MAP));
const systems: ReadonlySet<string> = new Set(Object.values(Bowser.OS_MAP));

const unknown: Agent = { device: '', names: {}, isBot: false };

export function agentOf(text: string): Agent {
  const userAgent = text.slice(0, lengthMax);
  if (userAgent.trim() === '') return unknown;
  const { browser, os, platform } = Bowser.parse(userAgent);
  const isBot = isbot(userAgent) || platform.type === 'bot';
  const device = ofThese(devices, platform.type);
  const name = ofThese(browsers, browser.name);
  const version = name === '' ? undefined : /^\d{1,5}/.exec(browser.version ?? '')?.[0];
  const system = ofThese(systems, os.name);
  return {
    // An app of Android says of no device what it is, and would be a tablet, as it does not say Mobile.
    device: userAgent.startsWith('Dalvik/') ? '' : device,
    names: {
      ...(name !== '' && { browser: name }),
      ...(version !== undefined && { browser_version: version }),
      ...(system !== '' && { os: system }),
    },
    isBot,
  };
}

const ofThese = (known: ReadonlySet<string>, name: string | undefined): string =>
  name !== undefined && known.has(name) ? name : '';
