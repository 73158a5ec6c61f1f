// A WebM file of VP8 frames, with its length and where its key frames are, so that a player can seek in it. MediaRecorder writes
// neither. The format: RFC 8794 (EBML), RFC 9559 (Matroska).

export interface Frame {
  readonly bytes: Uint8Array;
  readonly atMs: number;
  readonly isKey: boolean;
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly lengthMs: number;
}

const bytesOf = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 0xffn));

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** An element: its id, its size in eight bytes, what it holds. */
function element(id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = joined(parts);
  const idBytes = bytesOf(BigInt(id), id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
  return joined([idBytes, bytesOf((1n << 56n) | BigInt(body.length), 8), body]);
}

const whole = (id: number, value: number): Uint8Array => element(id, bytesOf(BigInt(value), 8));
const text = (id: number, value: string): Uint8Array => element(id, new TextEncoder().encode(value));

function double(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return element(id, bytes);
}

const block = ({ bytes, atMs, isKey }: Frame, clusterMs: number): Uint8Array =>
  element(0xa3, Uint8Array.of(0x81), bytesOf(BigInt(atMs - clusterMs), 2), Uint8Array.of(isKey ? 0x80 : 0), bytes);

/** A cluster begins with each key frame. */
function clustersOf(frames: readonly Frame[]): { readonly atMs: number; readonly bytes: Uint8Array }[] {
  const starts = frames.flatMap(({ isKey }, at) => (isKey ? [at] : []));
  return starts.map((start, at) => {
    const own = frames.slice(start, starts[at + 1]);
    const atMs = own[0]!.atMs;
    return { atMs, bytes: element(0x1f43b675, whole(0xe7, atMs), ...own.map(frame => block(frame, atMs))) };
  });
}

/** The first frame is a key frame. */
export function webm(frames: readonly Frame[], { width, height, lengthMs }: Picture): Uint8Array {
  const head = element(0x1a45dfa3, text(0x4282, 'webm'), whole(0x4287, 4), whole(0x4285, 2));
  const info = element(
    0x1549a966,
    whole(0x2ad7b1, 1_000_000),
    double(0x4489, lengthMs),
    text(0x4d80, 'ugc'),
    text(0x5741, 'ugc'),
  );
  const video = element(0xe0, whole(0xb0, width), whole(0xba, height));
  const track = element(
    0xae,
    whole(0xd7, 1),
    whole(0x73c5, 1),
    whole(0x83, 1),
    whole(0x9c, 0),
    text(0x86, 'V_VP8'),
    video,
  );
  const tracks = element(0x1654ae6b, track);
  const clusters = clustersOf(frames);
  // Numbers have one width, so how long the cues are does not depend on what they say.
  const cuesAt = (first: number): Uint8Array => {
    let position = first;
    const points = clusters.map(({ atMs, bytes }) => {
      const point = element(0xbb, whole(0xb3, atMs), element(0xb7, whole(0xf7, 1), whole(0xf1, position)));
      position += bytes.length;
      return point;
    });
    return element(0x1c53bb6b, ...points);
  };
  const first = info.length + tracks.length + cuesAt(0).length;
  return joined([head, element(0x18538067, info, tracks, cuesAt(first), ...clusters.map(({ bytes }) => bytes))]);
}
