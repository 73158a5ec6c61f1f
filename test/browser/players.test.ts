// hls.js, video.js and shaka-player as they were published, each playing a film of two qualities through its media element, which
// is all the player's part is handed.

import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { automaticSite, type SiteFile } from '../support/automatic-site.ts';
import { visits } from '../support/automatic-visits.ts';
import { chromiumFor } from '../support/chromium.ts';
import { hlsClip, hlsSeconds } from '../support/hls-clip.ts';

const executablePath = await chromiumFor('players in a browser');

/** Each lays into the page `open`, which resolves once the lower quality is there, and `take`, which takes that of a height. */
const players = {
  'hls.js': {
    script: 'hls.js/dist/hls.min.js',
    setUp: `
      const hls = new Hls();
      window.take = height => { hls.currentLevel = hls.levels.findIndex(level => level.height === height) };
      window.open = () => new Promise((done, fail) => {
        hls.on(Hls.Events.ERROR, (_, error) => error.fatal && fail(new Error(error.details)));
        hls.on(Hls.Events.MANIFEST_PARSED, () => take(180));
        hls.once(Hls.Events.FRAG_BUFFERED, () => done());
        hls.loadSource('/film.m3u8');
        hls.attachMedia(video());
      });`,
  },
  'video.js': {
    script: 'video.js/dist/video.min.js',
    setUp: `
      const player = videojs(video(), { html5: { vhs: { overrideNative: true } }, preload: 'auto' });
      const levels = player.qualityLevels();
      window.take = height => { for (const level of levels) level.enabled = level.height === height };
      levels.on('addqualitylevel', ({ qualityLevel }) => { qualityLevel.enabled = qualityLevel.height === 180 });
      window.open = () => new Promise((done, fail) => {
        player.on('error', () => fail(new Error(player.error().message)));
        player.one('loadeddata', () => done());
        player.src({ src: '/film.m3u8', type: 'application/x-mpegURL' });
      });`,
  },
  'shaka-player': {
    script: 'shaka-player/dist/shaka-player.compiled.js',
    setUp: `
      shaka.polyfill.installAll();
      const player = new shaka.Player();
      window.take = height => player.selectVariantTrack(player.getVariantTracks().find(track => track.height === height), true);
      window.open = async () => {
        await player.attach(video());
        player.configure({ abr: { enabled: false } });
        await player.load('/film.m3u8');
        take(180);
      };`,
  },
} as const;
type Player = keyof typeof players;

const pageOf = (player: Player): string => `<video muted></video><script src="/${player}.js"></script><script>
  const video = () => document.querySelector('video');
  ${players[player].setUp}
  const until = (type, is) => new Promise(done => {
    const look = () => is(video()) && (video().removeEventListener(type, look), done());
    video().addEventListener(type, look);
    look();
  });
  window.reached = seconds => until('timeupdate', ({ currentTime }) => currentTime >= seconds);
  window.shown = height => until('resize', ({ videoHeight }) => videoHeight === height);
  window.sought = async seconds => { video().currentTime = seconds; await until('seeked', ({ seeking }) => !seeking) };
  window.begin = async () => {
    await open();
    await shown(180);
    window.end = auto.watch(video(), { filmId: 'night', everyShare: 0.25, everySeconds: 1000 })(tracker);
    video().playbackRate = 4;
    await video().play();
  };
</script>`;

const visiting = visits(executablePath, async browser => {
  const drawing = await automaticSite({ pages: { '/': '' } });
  const painter = await browser.newPage();
  await painter.goto(drawing.url);
  const files: Record<string, SiteFile> = { ...(await hlsClip(painter)) };
  await painter.close();
  await drawing.close();
  for (const [name, { script }] of Object.entries(players))
    files[`/${name}.js`] = {
      type: 'text/javascript',
      bytes: await Bun.file(join(import.meta.dir, '../../node_modules', script)).bytes(),
    };
  const pages = (Object.keys(players) as Player[]).map(name => [`/${name}`, pageOf(name)] as const);
  return { pages: Object.fromEntries(pages), files };
});

async function played(player: Player, script: string): Promise<(readonly [string, Record<string, unknown>])[]> {
  const page = await visiting.open(`/${player}`);
  await page.evaluate(`(async () => { await begin(); ${script}; end() })().then(() => { tracker.track('done', {}) })`);
  return visiting.tracked();
}

describe.skipIf(executablePath === null).each(Object.keys(players) as Player[])('through %s', player => {
  test('a film is opened, told of by the quarter, changes its quality where it does, is watched once, and closed', async () => {
    const told = await played(
      player,
      "await reached(4); take(360); await shown(360); await until('ended', video => video.ended)",
    );
    expect(told.map(([type]) => type).filter(type => type !== 'film_progress')).toEqual([
      'film_opened',
      'quality_change',
      'film_watched',
      'film_closed',
    ]);
    const of = (type: string) => told.filter(([one]) => one === type).map(([, fields]) => fields);
    expect(of('film_opened')[0]).toMatchObject({ video_id: 'night', duration: hlsSeconds });
    const [changed] = of('quality_change');
    expect(changed).toMatchObject({ video_id: 'night', from_quality: '180p', to_quality: '360p' });
    expect(changed!.current_time as number).toBeGreaterThanOrEqual(4);
    // A machine that is busy may see two quarters pass at once, and one where the player takes itself elsewhere.
    const quarters = of('film_progress').map(({ share }) => Math.floor(Number(share) * 4));
    expect(quarters).toEqual([...new Set(quarters)].toSorted());
    expect([quarters.length > 1, quarters.at(-1)]).toEqual([true, 4]);
    expect(of('film_closed')[0]).toMatchObject({ video_id: 'night', share: 1 });
  }, 60_000);

  test('what was sought over was not watched, until it is played as well', async () => {
    const told = await played(
      player,
      `await reached(2); await sought(15); await until('ended', video => video.ended); tracker.track('at the end', {});
       await sought(1); await video().play(); await reached(16)`,
    );
    const types = told.map(([type]) => type).filter(type => type !== 'film_progress');
    expect(types).toEqual(['film_opened', 'at the end', 'film_watched', 'film_closed']);
  }, 60_000);
});
