// What the catalogue gives to be copied: run as it stands it sends the example, whatever is in it.

import { expect, test } from 'bun:test';
import { snippetsOf } from '../../../src/console/page/snippets.ts';

const example = {
  event_type: 'click',
  timestamp: '2026-11-29T14:03:07Z',
  user_id: "o'hara",
  element: '$(date) `x` "y" \\',
};
const open = { eventsUrl: 'http://127.0.0.1:8080/v1/events', isClosed: false };
const named = (isClosed: boolean): Readonly<Record<string, string>> =>
  Object.fromEntries(
    snippetsOf({ type: 'click', example }, { ...open, isClosed }).map(({ name, text }) => [name, text]),
  );

test('the line for curl gives a shell the example to the letter, and this server’s address', async () => {
  const shell = Bun.spawn(['sh', '-c', `curl() { printf '%s\\0' "$@"; }\n${named(true).curl}`], { stdout: 'pipe' });
  const [url, , key, , type, , data] = (await new Response(shell.stdout).text()).split('\0');
  expect([url, key, type]).toEqual([
    open.eventsUrl,
    'authorization: Bearer ugc_sk_…',
    'content-type: application/json',
  ]);
  expect(JSON.parse(data ?? '')).toEqual(example);
});

test('the event is Python’s to the letter too, quotes of Python’s own in it', async () => {
  const hard = { ...example, element: `'''; import os; """ r''' \\` };
  const snippet = snippetsOf({ type: 'click', example: hard }, open).find(({ name }) => name === 'Python');
  const [imports, event] = snippet!.text.split('request = ');
  expect(event).toContain('urlopen');
  const python = Bun.spawn(['python3', '-c', `${imports}print(json.dumps(event))`], { stdout: 'pipe' });
  expect(JSON.parse(await new Response(python.stdout).text())).toEqual(hard);
});

test('the SDK is told the user where the example has one: types of known users ask for it', () => {
  expect(named(true).SDK).toContain(`"user_id": "o'hara"`);
});

test('a key is in each where one is asked for, and in none but Segment’s, which wants some, where nobody is', () => {
  expect(Object.entries(named(true)).filter(([, text]) => !/ugc_[sp]k_/.test(text))).toEqual([]);
  expect(Object.values(named(false)).filter(text => /ugc_[sp]k_|authorization/.test(text))).toEqual([]);
});

test('each names this server', () => {
  for (const text of Object.values(named(false))) expect(text).toContain('http://127.0.0.1:8080');
});
