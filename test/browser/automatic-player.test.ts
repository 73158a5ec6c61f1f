// A player in a real browser: films that are played, left, sought in, looped and seen in another quality. The clip is the demo's.

import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { SiteFile } from '../support/automatic-site.ts';
import { visits } from '../support/automatic-visits.ts';
import { chromiumFor } from '../support/chromium.ts';
import { eventually } from '../support/until.ts';

const executablePath = await chromiumFor('films in a browser');

const clip = async (quality: string): Promise<SiteFile> => ({
  type: 'video/webm',
  bytes: await Bun.file(join(import.meta.dir, `../../demo/site/night-${quality}.webm`)).bytes(),
});

/** Two seconds of silence: 8 000 samples a second of one byte. */
function silence(): SiteFile {
  const samples = 16_000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(8_000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples, 40);
  return { type: 'audio/wav', bytes: new Uint8Array(Buffer.concat([head, Buffer.alloc(samples, 128)])) };
}

const player = (tag: string): string => `${tag}<script>
  const video = document.querySelector('video, audio');
  const film = { filmId: 'night', everyShare: 0.25, everySeconds: 1000 };
  const begin = more => { window.end = auto.watch(video, { ...film, ...more })(tracker); };
  const when = type => new Promise(done => video.addEventListener(type, done, { once: true }));
  const reached = seconds => new Promise(done => {
    const look = () => video.currentTime >= seconds && (video.removeEventListener('timeupdate', look), done());
    video.addEventListener('timeupdate', look);
  });
  // All of the clip in a blob: what is not there yet is no matter of these tests.
  window.load = async name => {
    video.src = URL.createObjectURL(await (await fetch(name)).blob());
    await when('loadedmetadata');
    video.playbackRate = 8;
  };
</script>`;

const visiting = visits(executablePath, async () => ({
  pages: { '/film': player('<video muted></video>'), '/sound': player('<audio muted></audio>'), '/plain': '' },
  files: { '/180p': await clip('180p'), '/360p': await clip('360p'), '/silence': silence() },
}));
let page: Page;

/** Runs in the page of a film, and gives what was tracked, type by type. */
async function played(
  script: string,
  path = '/film',
): Promise<(readonly [string, Readonly<Record<string, unknown>>])[]> {
  page = await visiting.open(path);
  await page.evaluate(`(async () => { ${script} })().then(() => { tracker.track('done', {}) })`);
  return visiting.tracked();
}

const types = (told: readonly (readonly [string, unknown])[]): string[] => told.map(([type]) => type);
const shares = (told: readonly (readonly [string, Readonly<Record<string, unknown>>])[]): number[] =>
  told.flatMap(([type, { share }]) => (type === 'film_progress' ? [Math.floor(Number(share) * 4) / 4] : []));

describe.skipIf(executablePath === null)('a film', () => {
  test('that is seen to its end is opened, told of by the quarter, watched once, and closed', async () => {
    const told = await played("await load('/180p'); begin(); await video.play(); await when('ended'); end()");
    expect(types(told).filter(type => type !== 'film_progress')).toEqual([
      'film_opened',
      'film_watched',
      'film_closed',
    ]);
    // A machine that is busy may see two quarters pass at once.
    expect(shares(told)).toEqual([...new Set(shares(told))].toSorted());
    expect(shares(told).at(-1)).toBe(1);
    expect(told[0]![1]).toEqual({ video_id: 'night', position: expect.any(Number), duration: 20 });
    expect(told[0]![1].position as number).toBeLessThan(1);
    expect(told.at(-1)![1]).toEqual({ video_id: 'night', position: 20, duration: 20, share: 1 });
  }, 60_000);

  test('that is sought through was not watched: what was not played tells nothing', async () => {
    const told = await played(`await load('/180p'); begin(); await video.play(); await reached(1);
      video.currentTime = 16; tracker.track('sought', {}); await when('seeked'); await when('ended'); end()`);
    const at = types(told).indexOf('sought');
    // On a busy machine more than a second was played before, and a quarter reached.
    expect(types(told.slice(0, at)).filter(type => type !== 'film_progress')).toEqual(['film_opened']);
    const sought = told.slice(at + 1);
    expect(types(sought)).toEqual(['film_progress', 'film_closed']);
    expect(shares(sought)).toEqual([1]);
  }, 60_000);

  test('that loops is watched once, and each quarter told once; the time it is played is told on', async () => {
    const told = await played(`await load('/180p'); video.loop = true; begin({ everySeconds: 15 });
      video.addEventListener('seeked', () => tracker.track('again', {})); await video.play();
      await reached(19); await when('seeked'); await reached(19); await when('seeked'); await reached(2); end()`);
    expect(types(told).filter(type => type === 'film_watched').length).toBe(1);
    expect(types(told).filter(type => type === 'film_opened').length).toBe(1);
    // Four quarters at most, and one for each fifteen seconds of what was played: a busy machine may not see an end coming.
    const secondsMax = 20 * (types(told).filter(type => type === 'again').length + 1);
    const progress = told.filter(([type]) => type === 'film_progress').length;
    expect(progress).toBeGreaterThanOrEqual(2);
    expect(progress).toBeLessThanOrEqual(4 + Math.floor(secondsMax / 15));
  }, 60_000);

  test('that is seen in parts, in any order, is watched when they make up the whole', async () => {
    const told = await played(`await load('/180p'); begin(); await video.play(); await reached(10);
      video.currentTime = 2; await when('seeked'); await reached(6); tracker.track('again', {});
      video.currentTime = 9; await when('seeked'); await when('ended'); end()`);
    expect(types(told).indexOf('film_watched')).toBeGreaterThan(types(told).indexOf('again'));
  }, 60_000);

  test('is closed where the page is left, and is another opening where it is gone on with', async () => {
    const told = await played(`await load('/180p'); begin(); await video.play(); await reached(3); video.pause();
      window.at = video.currentTime; leave(); leave(); await video.play(); await reached(8); leave();
      tracker.track('still open', { playing: !video.paused }); setTimeout(() => { location.href = '/plain' })`);
    await eventually(() => visiting.site.told('film_closed').length === 2, { what: 'the film to be closed' });
    await page.waitForURL('**/plain');
    const all = visiting.site.told().map(({ type }) => type);
    // A page that is hidden while it plays on tells where; nothing is closed.
    expect(all[all.indexOf('still open') - 1]).toBe('film_progress');
    expect(all.filter(type => !['done', 'film_progress'].includes(type))).toEqual([
      'film_opened',
      'film_closed',
      'film_opened',
      'still open',
      'film_closed',
    ]);
    const [, closed, opened] = told.filter(([type]) => type !== 'film_progress');
    expect(Number(closed![1].position)).toBeGreaterThanOrEqual(3);
    expect(Math.abs(Number(opened![1].position) - Number(closed![1].position))).toBeLessThan(1);
  }, 60_000);

  test('in another quality is a change of it, where it happened', async () => {
    const told = await played(`await load('/180p'); begin(); await video.play(); await reached(4); video.pause();
      const at = video.currentTime; const resized = when('resize'); await load('/360p'); video.currentTime = at;
      await when('seeked'); await resized; await video.play(); await reached(at + 1); end()`);
    // Whether a quarter was reached before it stopped is the machine's to say.
    const [opened, closed, changed, again, left] = told.filter(([type]) => type !== 'film_progress');
    expect([opened, closed, changed, again, left].map(one => one?.[0])).toEqual([
      'film_opened',
      'film_closed',
      'quality_change',
      'film_opened',
      'film_closed',
    ]);
    expect(changed![1]).toMatchObject({ video_id: 'night', from_quality: '180p', to_quality: '360p' });
    expect(Number.isInteger(changed![1].current_time)).toBe(true);
    // Closed where it stopped, though the element had been emptied by then.
    expect(Number(closed![1].position)).toBeGreaterThanOrEqual(4);
    expect(Math.abs(Number(again![1].position) - Number(closed![1].position))).toBeLessThan(1);
  }, 60_000);

  test('of sound alone has no quality', async () => {
    const told = await played(
      "await load('/silence'); begin(); await video.play(); await when('ended'); end()",
      '/sound',
    );
    expect(told[0]).toEqual(['film_opened', { video_id: 'night', position: expect.any(Number), duration: 2 }]);
    expect(types(told)).toContain('film_watched');
    expect(types(told)).not.toContain('quality_change');
  }, 60_000);

  test('that never plays tells nothing', async () => {
    expect(
      await played("await load('/180p'); begin(); video.currentTime = 5; await when('seeked'); leave(); end()"),
    ).toEqual([]);
  }, 60_000);
});
