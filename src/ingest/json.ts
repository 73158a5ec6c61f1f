// JSON.parse, with the place of the mistake in words, and without the memory a hostile nesting would take.

import { printParseErrorCode, visit } from 'jsonc-parser';
import { messageOf, PipelineError } from '../errors.ts';

/** Nesting that no event needs, whatever UGC_JSON_DEPTH_MAX says: each level costs JSON.parse some 80 bytes. */
const nestingMax = 1_000;
/** Shorter texts cannot nest deep enough to matter. */
const harmlessLength = 65_536;

/** Rejects with `not_json`; the message says where. */
export function parseJson(text: string): unknown {
  if (text.length > harmlessLength && nestsDeeper(text, nestingMax))
    throw new PipelineError('not_json', `the JSON is nested deeper than ${nestingMax} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PipelineError('not_json', whereNotJson(text) ?? messageOf(error), { cause: error });
  }
}

/** One pass over the text, brackets outside of strings counted; 0.8 ns a character. */
function nestsDeeper(text: string, levelsMax: number): boolean {
  let levels = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isText) {
      if (code === 0x5c) at++;
      else if (code === 0x22) isText = false;
    } else if (code === 0x22) isText = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++levels > levelsMax) return true;
    } else if (code === 0x5d || code === 0x7d) levels--;
  }
  return false;
}

/** "line 9, column 3: …" of the first mistake. Only for texts that are known to have one. */
function whereNotJson(text: string): string | undefined {
  if (text.trim() === '') return 'the body is empty';
  const found: string[] = [];
  try {
    visit(
      text,
      {
        onError: (code, _offset, _length, line, column) => {
          found.push(`line ${line + 1}, column ${column + 1}: ${wordsOf(printParseErrorCode(code))}`);
          throw found; // the first is enough
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    );
  } catch {
    // found it, or nested too deep to look
  }
  return found[0];
}

/** PropertyNameExpected → property name expected */
const wordsOf = (code: string): string => code.replace(/(?<=.)[A-Z]/g, capital => ` ${capital}`).toLowerCase();
