// What looks wrong with an event is in its answer, by the compiled binary; any other answer is what it was.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { startUgc, temporaryFolder } from '../support/ugc.ts';

test('a clock that is wrong, fields that were dropped, a bot, an event sent twice', async () => {
  const flags = ['--unknown-fields=drop', '--bots=mark'];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
  const now = Date.now();
  const event = { ...exampleClick, timestamp: now, event_id: Bun.randomUUIDv7() };
  const answerTo = async (body: unknown, userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0') => {
    const headers = { 'content-type': 'application/json', 'user-agent': userAgent };
    const response = await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.text();
  };
  const accepted = `{"event_id":"${event.event_id}","outcome":"accepted","stored":"disk"`;
  expect(await answerTo(event)).toBe(`${accepted}}`);
  expect(await answerTo({ ...event, sent_at: now - 3_600_000 })).toBe(`${accepted},"warning":["clock_corrected"]}`);
  expect(await answerTo({ ...event, elment: 1 })).toBe(
    `${accepted},"warning":["fields_dropped"],"dropped_fields":["/elment"]}`,
  );
  const bot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
  expect(await answerTo(event, bot)).toBe(`${accepted},"warning":["bot"]}`);
  expect(await answerTo([event, event], bot)).toBe(
    `{"accepted":2,"rejected":0,"results":[${accepted},"warning":["bot"]},${accepted},"warning":["bot","repeated"]}]}`,
  );
  const image = await fetch(
    `${ugc.url}/v1/pixel.gif?data=${encodeURIComponent(JSON.stringify({ ...event, sent_at: now - 3_600_000 }))}`,
    { headers: { 'user-agent': bot } },
  );
  expect(image.headers.get('x-ugc-outcome')).toBe('accepted;warning=clock_corrected,bot');
  const document = await (await fetch(`${ugc.url}/openapi.json`)).text();
  for (const word of ['clock_corrected', 'dropped_fields', 'repeated']) expect(document).toContain(word);
  expect(await ugc.stop()).toBe(0);
});
