// JSON.parse, with the place of the mistake in words, without the memory a hostile nesting would take, and with every
// digit of integers beyond 2^53: those are bigints.

import { printParseErrorCode, visit } from 'jsonc-parser';
import { messageOf, PipelineError } from '../errors.ts';

/** Nesting that no event needs, whatever UGC_JSON_DEPTH_MAX says: each level costs JSON.parse some 80 bytes. */
const nestingMax = 1_000;
/** Shorter texts cannot nest deep enough to matter. */
const harmlessLength = 65_536;

/** Rejects with `not_json`; the message says where. */
export function parseJson(text: string): unknown {
  if (text.length > harmlessLength && nestsDeeper(text, nestingMax)) throw tooDeep();
  const hasLong = hasLongDigits(text);
  // With a reviver the parser recurses, whatever the text's length.
  if (hasLong && nestsDeeper(text, nestingMax)) throw tooDeep();
  try {
    return hasLong ? JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) : JSON.parse(text);
  } catch (error) {
    throw new PipelineError('not_json', whereNotJson(text) ?? messageOf(error), { cause: error });
  }
}

const tooDeep = () => new PipelineError('not_json', `the JSON is nested deeper than ${nestingMax} levels`);

/**
 * Names that stand twice or more in the outermost object of what is known to be JSON: JSON.parse keeps the last of each. One
 * pass, however deep it is nested.
 */
export function repeatedNames(text: string): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) depth--;
    else if (code === 0x22) {
      const from = at;
      at = endOfText(text, at);
      if (depth !== 1 || !isNameAt(text, at + 1)) continue;
      const name = JSON.parse(text.slice(from, at + 1)) as string;
      (seen.has(name) ? twice : seen).add(name);
    }
  }
  return [...twice];
}

/** Where the quote is that closes the one at `from`. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at;
  }
  return text.length;
}

/** Whether a colon is what comes next. */
function isNameAt(text: string, from: number): boolean {
  let at = from;
  while (' \t\n\r'.includes(text.charAt(at)) && at < text.length) at++;
  return text.charAt(at) === ':';
}

/** 2^53 has sixteen digits: with fewer a double is exact. */
const longDigits = 16;

/**
 * Whether sixteen digits stand in a row somewhere where a number may. Such a run covers a multiple of sixteen: only those are
 * looked at. Digits behind a quote or a letter are of a text, as ids and times in nanoseconds are.
 */
function hasLongDigits(text: string): boolean {
  for (let at = longDigits - 1; at < text.length; at += longDigits) {
    if (!isDigit(text, at)) continue;
    let first = at;
    let last = at;
    while (isDigit(text, first - 1)) first--;
    while (isDigit(text, last + 1)) last++;
    if (last - first + 1 >= longDigits && beginsNumber(text, first)) return true;
    at = last; // not to look at the same run again
  }
  return false;
}

/** Whether what stands before it lets a number begin there: in JSON a colon, a comma, a bracket, white space or nothing. */
function beginsNumber(text: string, at: number): boolean {
  const before = text[at - 1] === '-' ? at - 2 : at - 1;
  return before < 0 || ':,[ \t\n\r'.includes(text[before]!);
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at); // NaN beyond the ends
  return code >= 48 && code <= 57;
}

/** Reviver: an integer that a double would round is a bigint. The source text of a value comes with ES2025. */
function keepDigits(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return /^-?\d{1,40}$/.test(source) ? BigInt(source) : value;
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
