// What user agents tell, of those there are and of those nobody has.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { agentOf, agents } from '../../../../src/ingest/client/agent.ts';
import { special } from '../../../../src/record/canonical.ts';

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const safari = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';

test.each([
  ['desktop Chrome 131 Windows', `${windows} ${webkit} Chrome/131.0.0.0 Safari/537.36`],
  ['desktop Microsoft Edge 131 Windows', `${windows} ${webkit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`],
  ['desktop Opera 115 Windows', `${windows} ${webkit} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0`],
  ['desktop Yandex Browser 24 Windows', `${windows} ${webkit} Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36`],
  ['desktop Firefox 128 Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['desktop Safari 17 macOS', `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${safari} Version/17.5 Safari/605.1.15`],
  [
    'mobile Safari 17 iOS',
    `Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) ${safari} Version/17.5 Mobile/15E148 Safari/604.1`,
  ],
  [
    'tablet Safari 16 iOS',
    `Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) ${safari} Version/16.6 Mobile/15E148 Safari/604.1`,
  ],
  ['mobile Chrome 131 Android', `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/131.0.0.0 Mobile Safari/537.36`],
  ['tablet Chrome 131 Android', `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/131.0.0.0 Safari/537.36`],
  [
    'tv WebOS Browser - WebOS',
    `Mozilla/5.0 (Web0S; Linux/SmartTV) ${webkit} Chrome/94.0.4606.128 Safari/537.36 WebAppManager`,
  ],
  ['- Android Browser - Android', 'Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UD1A)'],
  ['- - - -', 'MyApp/1 CFNetwork/1494 Darwin/23.4.0'],
  ['- - - -', 'Evil<script>"\\/1.0 (x)'],
  ['- - - -', ''],
  ['- - - -', '   '],
])('%s', (wanted, userAgent) => {
  const { device, names, isBot } = agentOf(userAgent);
  const told = [device, names.browser, names.browser_version, names.os].map(name => name || '-').join(' ');
  expect([told, isBot]).toEqual([wanted, false]);
});

test.each([
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  `Mozilla/5.0 ${webkit}; compatible; GPTBot/1.2; +https://openai.com/gptbot)`,
  `Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/131.0.0.0 Safari/537.36`,
  'curl/8.5.0',
  'python-requests/2.31',
  'okhttp/4.12.0',
  'analytics-node/3.1.0',
])('%s is a bot', userAgent => {
  expect(agentOf(userAgent)).toMatchObject({ isBot: true, device: expect.stringMatching(/^(desktop)?$/) });
});

describe('whatever the header holds', () => {
  test('what comes out is of closed sets and needs no escape', () => {
    const words = fc.constantFrom(
      'Mozilla/5.0',
      'Chrome/',
      'Version/',
      '(',
      ')',
      'Android',
      'Mobile',
      '"',
      '\\',
      'é',
      '\n',
      ' ',
      '1',
      'x'.repeat(300),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(words).map(list => list.join('')),
        ),
        userAgent => {
          const { device, names, isBot } = agentOf(userAgent);
          expect(['', 'mobile', 'tablet', 'desktop', 'tv']).toContain(device);
          expect(isBot).toBeBoolean();
          expect(Object.keys(names).filter(name => !['browser', 'browser_version', 'os'].includes(name))).toEqual([]);
          for (const name of Object.values(names)) {
            expect(special.test(name)).toBe(false);
            expect(name.length).toBeLessThan(40);
          }
        },
      ),
    );
  });

  test('no text keeps the patterns busy: one that did would not come back here', () => {
    const parts = ['a/', 'Mozilla/5.0 (', '(', ' ', 'Version/', 'android ', '0.', ';', 'Opera/', 'bot', 'Chrome/1.'];
    for (const part of parts) expect(agentOf(`${part.repeat(1_024)}!`).device).toMatch(/^(mobile|tablet|)$/);
  });
});

test('a text is looked at once', () => {
  const read = agents();
  const userAgent = `${windows} ${webkit} Chrome/131.0.0.0 Safari/537.36`;
  expect(read(userAgent)).toBe(read(userAgent));
  expect(read(`${userAgent} `)).not.toBe(read(userAgent));
});
