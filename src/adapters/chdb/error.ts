// Errors of the embedded engine: a ClickHouse code and ClickHouse's words.

import { messageOf } from '../../errors.ts';

/** ClickHouse's own error: its code and its words. */
export class EngineError extends Error {
  readonly code: number;
  override readonly name = 'EngineError';

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** An error of our own in ClickHouse's words. `name` is the code's: SYNTAX_ERROR. */
export const refuse = (code: number, text: string, name: string): EngineError =>
  new EngineError(code, `Code: ${code}. DB::Exception: ${text}. (${name})`);

/** The engine's words, without the repetition it makes of them. */
export function engineError(error: unknown): unknown {
  const message = messageOf(error).replace(/^Query failed: /, '');
  const code = /^Code: (\d+)\. /.exec(message)?.[1];
  if (code === undefined) return error;
  const once = message.replace(/^(?:Code: \d+\. DB::Exception: )+(?=Code: \d+\. DB::)/, '');
  return new EngineError(
    Number(code),
    once.replace(/( \([A-Z_0-9]+\)) \(version [^)]*\)\. \([A-Z_0-9]+\)$/, '$1').trim(),
  );
}
