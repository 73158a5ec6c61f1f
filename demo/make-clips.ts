// Makes the demo's film, in two qualities: a night over hills, drawn and encoded by a Chromium (demo/site/*.webm, committed).
// Run it only to change the film: .ci/bun run demo/make-clips.ts

import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../test/support/chromium.ts';
import { type Frame, webm } from './webm.ts';

const seconds = 20;
const qualities = [
  { width: 320, height: 180, bitsPerSecond: 45_000 },
  { width: 640, height: 360, bitsPerSecond: 110_000 },
];

/** In the page: draws and encodes; frames as base64, for they travel as JSON. */
const encode = `async ({ width, height, bitsPerSecond, seconds }) => {
  const canvas = new OffscreenCanvas(width, height);
  const paint = canvas.getContext('2d');
  const frames = [];
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      frames.push({ base64: bytes.toBase64(), atMs: Math.round(chunk.timestamp / 1000), isKey: chunk.type === 'key' });
    },
    error(error) { throw error; },
  });
  encoder.configure({ codec: 'vp8', width, height, bitrate: bitsPerSecond, framerate: 25 });
  const hill = (base, high, slow, colour, share) => {
    paint.fillStyle = colour;
    paint.beginPath();
    paint.moveTo(0, height);
    for (let x = 0; x <= width; x += 4) {
      const at = x / width * slow + share * slow;
      paint.lineTo(x, height * (base - high * (Math.sin(at * 3) + Math.sin(at * 7.3) / 3)));
    }
    paint.lineTo(width, height);
    paint.fill();
  };
  for (let frame = 0; frame < seconds * 25; frame++) {
    const share = frame / (seconds * 25);
    const sky = paint.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, 'hsl(' + (230 + 40 * share) + ' 55% ' + (12 + 14 * share) + '%)');
    sky.addColorStop(1, 'hsl(' + (280 - 260 * share) + ' 60% ' + (26 + 30 * share) + '%)');
    paint.fillStyle = sky;
    paint.fillRect(0, 0, width, height);
    paint.fillStyle = '#fff8dc';
    paint.beginPath();
    paint.arc(width * (0.15 + 0.7 * share), height * (0.55 - 0.4 * Math.sin(Math.PI * share)), height * 0.07, 0, 7);
    paint.fill();
    hill(0.68, 0.08, 1, '#2b2550', share);
    hill(0.8, 0.07, 2, '#1d1a3a', share);
    hill(0.92, 0.05, 4, '#100f24', share);
    const picture = new VideoFrame(canvas, { timestamp: frame * 40_000, duration: 40_000 });
    encoder.encode(picture, { keyFrame: frame % 50 === 0 });
    picture.close();
    while (encoder.encodeQueueSize > 20) await new Promise(done => setTimeout(done));
  }
  await encoder.flush();
  return frames;
}`;

const executablePath = await findChromium();
if (executablePath === null) throw new Error('there is no Chromium here: install one, or name it in UGC_TEST_CHROMIUM');
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage();
await page.goto(server.url.href);
for (const quality of qualities) {
  const encoded = await page.evaluate<(Omit<Frame, 'bytes'> & { readonly base64: string })[]>(
    `(${encode})(${JSON.stringify({ ...quality, seconds })})`,
  );
  const frames = encoded.map(({ base64, ...frame }) => ({ ...frame, bytes: Uint8Array.fromBase64(base64) }));
  const path = join(import.meta.dir, `site/night-${quality.height}p.webm`);
  console.log(`${path}: ${await Bun.write(path, webm(frames, { ...quality, lengthMs: seconds * 1_000 }))} bytes`);
}
await browser.close();
await server.stop(true);
