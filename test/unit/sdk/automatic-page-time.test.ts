// Page time by a clock the test moves: every way in which time can pass without anybody seeing the page.

import { afterEach, beforeEach, expect, test } from 'bun:test';

type Fields = Readonly<Record<string, unknown>>;
type PageTime = (options?: { idleMs?: number }) => (tracker: object) => () => void;

// By a name the compiler does not follow: it is a page's code, which sdk/tsconfig.json checks.
const path = '../../../sdk/src/automatic/page-time.ts';
const { pageTime } = (await import(path)) as { readonly pageTime: PageTime };

const names = ['window', 'document', 'location', 'navigation', 'scrollY', 'innerHeight'] as const;
const globals = globalThis as unknown as Record<(typeof names)[number], unknown>;

const look = { hidden: false, isFocused: true, scrollHeight: 2_000 };
let navigation: EventTarget;
beforeEach(() => {
  navigation = new EventTarget();
  Object.assign(look, { hidden: false, isFocused: true, scrollHeight: 2_000 });
  Object.assign(globals, {
    window: Object.assign(new EventTarget(), { navigation }),
    document: {
      get hidden() {
        return look.hidden;
      },
      hasFocus: () => look.isFocused,
      get documentElement() {
        return { scrollHeight: look.scrollHeight };
      },
    },
    location: { href: 'http://site/a#token' },
    navigation,
    scrollY: 0,
    innerHeight: 500,
  });
});
afterEach(() => {
  for (const name of names) delete globals[name];
});

function opened(options?: { idleMs?: number }) {
  let now = 1_000_000;
  const told: Fields[] = [];
  const leave = new Set<() => void>();
  const end = pageTime(options)({
    track: (_: string, fields: Fields) => void told.push(fields),
    onLeave: (listener: () => void) => {
      leave.add(listener);
      return () => leave.delete(listener);
    },
    now: () => now,
  });
  const say = (type: string) => (globals.window as EventTarget).dispatchEvent(new Event(type));
  return {
    end,
    say,
    /** The page is looked at all the while, as its timer does: by what happens in it. */
    pass(ms: number, type = 'blur') {
      now += ms;
      say(type);
    },
    jump: (ms: number) => {
      now += ms;
    },
    hide(isHidden: boolean) {
      look.hidden = isHidden;
      say('visibilitychange');
      if (isHidden) leave.forEach(listener => void listener());
    },
    leave: () => leave.forEach(listener => void listener()),
    move(href: string) {
      globals.location = { href };
      navigation.dispatchEvent(new Event('currententrychange'));
    },
    told: () => told.splice(0),
  };
}

test('hidden time is not told, and what was told is not told again', () => {
  const page = opened();
  page.pass(2_000);
  page.hide(true);
  expect(page.told()).toEqual([
    { page_url: 'http://site/a', visible_ms: 2_000, engaged_ms: 2_000, scroll_share: 0.25 },
  ]);
  page.jump(60_000);
  page.leave();
  page.hide(false);
  page.pass(1_000);
  page.leave();
  page.leave();
  expect(page.told()).toEqual([
    { page_url: 'http://site/a', visible_ms: 1_000, engaged_ms: 1_000, scroll_share: 0.25 },
  ]);
  page.end();
});

test('a machine that slept, or a clock that jumped, is one slice of five seconds', () => {
  const page = opened();
  page.pass(8 * 3_600_000);
  page.leave();
  expect(page.told()).toMatchObject([{ visible_ms: 5_000, engaged_ms: 5_000 }]);
  page.end();
});

test('nobody there is seen and not used; who comes back is used from then on', () => {
  const page = opened({ idleMs: 3_000 });
  page.jump(2_000);
  page.leave(); // looks, and is nothing the user does
  page.jump(4_000);
  page.leave();
  page.pass(1_000, 'keydown');
  page.jump(1_000);
  page.leave();
  const rows = page.told() as { visible_ms: number; engaged_ms: number }[];
  expect(rows.map(({ visible_ms, engaged_ms }) => [visible_ms, engaged_ms])).toEqual([
    [2_000, 2_000],
    [4_000, 1_000],
    [2_000, 1_000],
  ]);
  page.end();
});

test('a window behind another is seen and not used', () => {
  const page = opened();
  page.pass(1_000);
  look.isFocused = false;
  page.say('blur');
  page.pass(3_000);
  page.leave();
  expect(page.told()).toMatchObject([{ visible_ms: 4_000, engaged_ms: 1_000 }]);
  page.end();
});

test('a page an app moves to takes neither time nor scrolling of the one that was left', () => {
  const page = opened();
  globals.scrollY = 1_500;
  page.say('scroll');
  page.jump(1_500);
  page.move('http://site/a#elsewhere');
  page.move('http://site/b');
  globals.scrollY = 0;
  look.scrollHeight = 1_000;
  page.jump(700);
  page.move('http://site/c');
  page.jump(10);
  page.leave(); // not worth a word
  expect(page.told()).toEqual([
    { page_url: 'http://site/a', visible_ms: 1_500, engaged_ms: 1_500, scroll_share: 1 },
    { page_url: 'http://site/b', visible_ms: 700, engaged_ms: 700, scroll_share: 0.5 },
  ]);
  page.end();
  page.pass(1_000);
  page.move('http://site/d');
  expect(page.told()).toEqual([]);
});

test('a page without any height has been seen whole', () => {
  const page = opened();
  look.scrollHeight = 0;
  page.pass(1_000);
  page.leave();
  expect(page.told()).toMatchObject([{ scroll_share: 1 }]);
  page.end();
});
