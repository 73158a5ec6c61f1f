// A film as HLS has it, in two qualities: drawn and encoded by a Chromium (VP9, which every one of them decodes), cut into
// fragmented MP4 of two seconds each. The format: ISO/IEC 14496-12, the VP codec's binding to it, RFC 8216.

import type { Page } from 'playwright-core';
import type { SiteFile } from './automatic-site.ts';

export const hlsSeconds = 20;
const segmentSeconds = 2;
const framesPerSecond = 10;
const frameMs = 1_000 / framesPerSecond;
const qualities = [
  { width: 320, height: 180, bitsPerSecond: 50_000 },
  { width: 640, height: 360, bitsPerSecond: 150_000 },
];
const codec = 'vp09.00.21.08';

/** In the page; a key frame begins each segment. */
const encode = `async ({ width, height, bitsPerSecond, frames, everyFrames, frameMs, codec }) => {
  const canvas = new OffscreenCanvas(width, height);
  const paint = canvas.getContext('2d');
  const encoded = [];
  const encoder = new VideoEncoder({
    output(chunk) {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      encoded.push(btoa(String.fromCharCode(...bytes)));
    },
    error(error) { throw error; },
  });
  encoder.configure({ codec, width, height, bitrate: bitsPerSecond, framerate: 1000 / frameMs, latencyMode: 'realtime' });
  for (let at = 0; at < frames; at++) {
    paint.fillStyle = 'hsl(' + at + ' 50% 30%)';
    paint.fillRect(0, 0, width, height);
    paint.fillStyle = '#fff';
    paint.fillRect(width * at / frames, height / 2, 20, 20);
    const picture = new VideoFrame(canvas, { timestamp: at * frameMs * 1000, duration: frameMs * 1000 });
    encoder.encode(picture, { keyFrame: at % everyFrames === 0 });
    picture.close();
    while (encoder.encodeQueueSize > 20) await new Promise(done => setTimeout(done));
  }
  await encoder.flush();
  return encoded;
}`;

/** By path: `/film.m3u8` names the rest. */
export async function hlsClip(page: Page): Promise<Readonly<Record<string, SiteFile>>> {
  const files: Record<string, SiteFile> = {};
  const add = (path: string, type: string, content: string | Uint8Array): void => {
    files[`/${path}`] = { type, bytes: new Uint8Array(Buffer.from(content as string)) };
  };
  const master = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  const everyFrames = segmentSeconds * framesPerSecond;
  for (const { width, height, bitsPerSecond } of qualities) {
    const options = { width, height, bitsPerSecond, frames: hlsSeconds * framesPerSecond, everyFrames, frameMs, codec };
    const encoded = await page.evaluate<string[]>(`(${encode})(${JSON.stringify(options)})`);
    const frames = encoded.map(text => Buffer.from(text, 'base64'));
    const name = `${height}p`;
    add(`${name}-init.mp4`, 'video/mp4', initOf(width, height));
    const list = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${segmentSeconds}`];
    list.push('#EXT-X-PLAYLIST-TYPE:VOD', `#EXT-X-MAP:URI="${name}-init.mp4"`);
    for (let at = 0; at * everyFrames < frames.length; at++) {
      const own = frames.slice(at * everyFrames, (at + 1) * everyFrames);
      add(`${name}-${at}.m4s`, 'video/iso.segment', segmentOf(own, at));
      list.push(`#EXTINF:${segmentSeconds}.0,`, `${name}-${at}.m4s`);
    }
    add(`${name}.m3u8`, 'application/vnd.apple.mpegurl', [...list, '#EXT-X-ENDLIST', ''].join('\n'));
    const said = `BANDWIDTH=${bitsPerSecond * 2},RESOLUTION=${width}x${height},CODECS="${codec}"`;
    master.push(`#EXT-X-STREAM-INF:${said}`, `${name}.m3u8`);
  }
  add('film.m3u8', 'application/vnd.apple.mpegurl', [...master, ''].join('\n'));
  return files;
}

type Part = Buffer | string;

const bytesOf = (part: Part): Buffer => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
const u8 = (...values: readonly number[]): Buffer => Buffer.from(values);
const u16 = (...values: readonly number[]): Buffer => Buffer.concat(values.map(value => u8(value >> 8, value & 0xff)));
const u32 = (...values: readonly number[]): Buffer =>
  Buffer.concat(values.map(value => u16(Math.floor(value / 65_536), value & 0xffff)));

function box(type: string, ...parts: readonly Part[]): Buffer {
  const body = Buffer.concat(parts.map(bytesOf));
  return Buffer.concat([u32(body.length + 8), bytesOf(type), body]);
}
/** One that begins with its version and flags. */
const full = (type: string, flags: number, ...parts: readonly Part[]): Buffer => box(type, u32(flags), ...parts);

const identity = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const timescale = 1_000;

function initOf(width: number, height: number): Buffer {
  const vpcc = full('vpcC', 0x01000000, u8(0, 21, 0x82, 1, 1, 1), u16(0)); // profile, level, 8 bits of 4:2:0, BT.709
  const picture = [u32(0, 0, 0, 0), u16(width, height), u32(0x480000, 0x480000, 0), u16(1), Buffer.alloc(32)];
  const entry = box('vp09', u32(0), u16(0, 1), ...picture, u16(24, 0xffff), vpcc);
  const tables = ['stts', 'stsc', 'stco'].map(type => full(type, 0, u32(0)));
  const stbl = box('stbl', full('stsd', 0, u32(1), entry), ...tables, full('stsz', 0, u32(0, 0)));
  const dinf = box('dinf', full('dref', 0, u32(1), full('url ', 1)));
  const minf = box('minf', full('vmhd', 1, u32(0, 0)), dinf, stbl);
  const hdlr = full('hdlr', 0, u32(0), 'vide', u32(0, 0, 0), u8(0));
  const mdia = box('mdia', full('mdhd', 0, u32(0, 0, timescale, 0), u16(0x55c4, 0)), hdlr, minf);
  const size = u32(width * 65_536, height * 65_536);
  const tkhd = full('tkhd', 3, u32(0, 0, 1, 0, 0, 0, 0), u16(0, 0, 0, 0), identity, size);
  const rate = [u32(0x10000), u16(0x100, 0), u32(0, 0)];
  const mvhd = full('mvhd', 0, u32(0, 0, timescale, 0), ...rate, identity, u32(0, 0, 0, 0, 0, 0, 2));
  const mvex = box('mvex', full('trex', 0, u32(1, 1, 0, 0, 0)));
  const moov = box('moov', mvhd, box('trak', tkhd, mdia), mvex);
  return Buffer.concat([box('ftyp', 'iso6', u32(0), 'iso6mp41'), moov]);
}

function segmentOf(frames: readonly Buffer[], at: number): Buffer {
  const moofOf = (dataAt: number): Buffer => {
    // Of the first frame that it is a key, of the others that they depend on others.
    const samples = frames.map(({ length }, n) => u32(frameMs, length, n === 0 ? 0x02000000 : 0x01010000));
    const trun = full('trun', 0x701, u32(frames.length, dataAt), ...samples);
    const tfdt = full('tfdt', 0x01000000, u32(0, at * segmentSeconds * timescale));
    return box('moof', full('mfhd', 0, u32(at + 1)), box('traf', full('tfhd', 0x020000, u32(1)), tfdt, trun));
  };
  return Buffer.concat([moofOf(moofOf(0).length + 8), box('mdat', ...frames)]);
}
