// ClickHouse SQL as text: quoting, and what a statement that came from outside is and may do. Its tokens come from the
// engine's own lexer (tokenizeQuery), so that nothing is read in two ways: heredocs, nested comments, typographic quotes.

/** A name in backticks. */
export const quoteName = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

/** A text literal. */
export const quoteText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export interface Token {
  /** ClickHouse's TokenType: BareWord, QuotedIdentifier, Semicolon, … without Whitespace, Comment and EndOfStream. */
  readonly type: string;
  readonly text: string;
  /** The byte after its last one, in the SQL as UTF-8. */
  readonly end: number;
}

export interface Statement {
  /** First word, upper case: SELECT, INSERT, … */
  readonly verb: string;
  /** Of its FORMAT clause; Values for VALUES; null without. */
  readonly format: string | null;
  /** INSERT with data: where, in bytes, the data begins. */
  readonly dataFrom: number | null;
  /** Its data reads from input(): the engine would store nothing and say it was well. */
  readonly readsInput: boolean;
  /** A second statement begins. The engine would run it. */
  readonly severalStatements: boolean;
  /** What it names that reads or writes files of this machine and that no grant closes; null without. */
  readonly touchesFiles: string | null;
}

export function readStatement(tokens: readonly Token[]): Statement {
  const verb = (tokens.find(({ type }) => type !== 'OpeningRoundBracket')?.text ?? '').toUpperCase();
  const data = verb === 'INSERT' ? findData(tokens) : null;
  // What follows FORMAT x is data to the engine, except for Values, where it goes on reading SQL after the last row.
  const sql = data === null || data.format === 'Values' ? tokens : tokens.slice(0, data.index + 1);
  return {
    verb,
    format: data?.format ?? lastFormat(tokens),
    dataFrom: data === null ? null : tokens[data.index]!.end,
    readsInput: sql.some((token, index) => isWord(token, 'INPUT') && sql[index + 1]?.type === 'OpeningRoundBracket'),
    severalStatements: sql.some(
      (token, index) =>
        token.type === 'Semicolon' && sql[index + 1] !== undefined && sql[index + 1]!.type !== 'Semicolon',
    ),
    touchesFiles: findFiles(sql),
  };
}

/** Statements that change nothing; the engine enforces it, this only says so earlier and in ClickHouse's words. */
export const isReading = (verb: string): boolean => /^(SELECT|WITH|FROM|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)$/.test(verb);

const isWord = ({ type, text }: Token, word: string): boolean => type === 'BareWord' && text.toUpperCase() === word;

/** The last token before the data of an INSERT, outside of brackets; null when there is no data clause. */
function findData(tokens: readonly Token[]): { readonly index: number; readonly format: string } | null {
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'OpeningRoundBracket') depth += 1;
    if (token.type === 'ClosingRoundBracket') depth -= 1;
    const before = tokens[index - 1];
    if (depth > 0 || !before || before.type === 'Dot' || isWord(before, 'INTO') || isWord(before, 'TABLE')) continue;
    const next = tokens[index + 1];
    if (isWord(token, 'VALUES')) return { index, format: 'Values' };
    if (isWord(token, 'FORMAT') && next?.type === 'BareWord')
      return { index: index + 1, format: /^values$/i.test(next.text) ? 'Values' : next.text };
  }
  return null;
}

function lastFormat(tokens: readonly Token[]): string | null {
  const at = tokens.findLastIndex((token, index) => isWord(token, 'FORMAT') && tokens[index + 1]?.type === 'BareWord');
  return at < 0 ? null : tokens[at + 1]!.text;
}

/** Functions that open files or libraries they are given. A function can be named without brackets (APPLY, arrayMap). */
const filesFunctions = new Set(['file', 'catboostevaluate']);

function findFiles(tokens: readonly Token[]): string | null {
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    if (token.type === 'BareWord' || token.type === 'QuotedIdentifier') {
      const name = token.type === 'BareWord' ? token.text : token.text.slice(1, -1);
      if (token.type === 'QuotedIdentifier' && name.includes('\\')) return `an escaped name, ${token.text}`;
      const isNew = before !== undefined && (before.type === 'Dot' || isWord(before, 'AS'));
      if (filesFunctions.has(name.toLowerCase()) && !isNew) return name;
    }
    if (isWord(token, 'OUTFILE') && before && isWord(before, 'INTO')) return 'INTO OUTFILE';
    if (isWord(token, 'INFILE') && before && isWord(before, 'FROM')) return 'FROM INFILE';
  }
  return null;
}
