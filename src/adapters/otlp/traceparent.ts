// The header `traceparent`, read as strictly as https://www.w3.org/TR/trace-context/#traceparent-header has it, and written.

import { randomBytes } from 'node:crypto';

export interface SpanContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Null: it is none, and who sent it is treated as if it had sent nothing. */
export function readTraceparent(text: string): SpanContext | null {
  const found = pattern.exec(text);
  if (found === null) return null;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = found;
  // A later version may have more behind what this one knows; ff is none.
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const writeTraceparent = ({ traceId, spanId, isSampled }: SpanContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

/** Never all zeros: that names nothing. */
function randomId(bytes: number): string {
  for (;;) {
    const id = randomBytes(bytes).toString('hex');
    if (!/^0+$/.test(id)) return id;
  }
}

export const newTraceId = (): string => randomId(16);
export const newSpanId = (): string => randomId(8);
