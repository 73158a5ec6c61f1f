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
  /** INSERT with data: where, in bytes, its parts are. */
  readonly insert: InsertParts | null;
  /** INSERT … SELECT … FORMAT: the engine would run it without the data, store nothing and say that it went well. */
  readonly selectsFromData: boolean;
  /** A second statement begins. The engine would run it. */
  readonly severalStatements: boolean;
  /** What it names that reads or writes files of this machine and that no grant closes; null without. */
  readonly touchesFiles: string | null;
}

/** `INSERT INTO t (a)`, then `SETTINGS …` or nothing, then `FORMAT x` or `VALUES`, then the data. */
export interface InsertParts {
  readonly format: string;
  readonly intoTo: number;
  readonly settingsTo: number;
  readonly dataFrom: number;
}

export function readStatement(tokens: readonly Token[]): Statement {
  const verb = (tokens.find(({ type }) => type !== 'OpeningRoundBracket')?.text ?? '').toUpperCase();
  const data = verb === 'INSERT' ? findData(tokens) : null;
  // What follows FORMAT x is data to the engine, except for Values, where it goes on reading SQL after the last row.
  const sql = data === null || data.format === 'Values' ? tokens : tokens.slice(0, data.index + 1);
  return {
    verb,
    format: data?.format ?? lastFormat(tokens),
    insert: data === null ? null : partsOf(tokens, data),
    selectsFromData: verb === 'INSERT' && data === null && atTop(tokens).some(at => isWord(tokens[at]!, 'FORMAT')),
    severalStatements: sql.some(
      (token, index) =>
        token.type === 'Semicolon' && sql[index + 1] !== undefined && sql[index + 1]!.type !== 'Semicolon',
    ),
    touchesFiles: findFiles(sql),
  };
}

/**
 * Statements that change something, or would. Readonly is enforced by the engine, for any other verb as well; this only says
 * so earlier and in ClickHouse's words.
 */
export const isWriting = (verb: string): boolean => writing.has(verb);

const writing = new Set(
  (
    'ALTER ATTACH BACKUP BEGIN CHECK COMMIT CREATE DELETE DETACH DROP EXCHANGE EXECUTE EXTERNAL GRANT INSERT KILL MOVE ' +
    'OPTIMIZE PARALLEL RENAME REPLACE RESTORE REVOKE ROLLBACK SET SYSTEM TRUNCATE UNDROP UPDATE USE WATCH'
  ).split(' '),
);

function partsOf(tokens: readonly Token[], { index, format, clause }: FoundData): InsertParts {
  const startOf = ({ end, text }: Token) => end - Buffer.byteLength(text);
  const settingsTo = startOf(tokens[clause]!);
  const settings = atTop(tokens).findLast(at => at < clause && isWord(tokens[at]!, 'SETTINGS'));
  return {
    format,
    intoTo: settings === undefined ? settingsTo : startOf(tokens[settings]!),
    settingsTo,
    dataFrom: tokens[index]!.end,
  };
}

const isWord = ({ type, text }: Token, word: string): boolean => type === 'BareWord' && text.toUpperCase() === word;

interface FoundData {
  readonly format: string;
  /** Index of FORMAT or VALUES, and of the last token before the data. */
  readonly clause: number;
  readonly index: number;
}

/** Null when the INSERT has no data clause. */
function findData(tokens: readonly Token[]): FoundData | null {
  for (const clause of atTop(tokens)) {
    const token = tokens[clause]!;
    if (isWord(token, 'SELECT') || isWord(token, 'WITH')) return null;
    if (isWord(token, 'VALUES')) return { format: 'Values', clause, index: clause };
    const name = isWord(token, 'FORMAT') ? nameOf(tokens[clause + 1]) : null;
    if (name !== null) return { format: /^values$/i.test(name) ? 'Values' : name, clause, index: clause + 1 };
  }
  return null;
}

/** A format's name, quoted or not; nothing else is taken for one. */
function nameOf(token: Token | undefined): string | null {
  const name =
    token?.type === 'QuotedIdentifier' ? token.text.slice(1, -1) : token?.type === 'BareWord' ? token.text : '';
  return /^\w+$/.test(name) ? name : null;
}

/** Indexes of the tokens outside of brackets that can be keywords: not the name of the table. */
function atTop(tokens: readonly Token[]): number[] {
  let depth = 0;
  return [...tokens.keys()].filter(index => {
    const { type } = tokens[index]!;
    if (type === 'OpeningRoundBracket') depth += 1;
    if (type === 'ClosingRoundBracket') depth -= 1;
    const before = tokens[index - 1];
    return depth === 0 && before && before.type !== 'Dot' && !isWord(before, 'INTO') && !isWord(before, 'TABLE');
  });
}

function lastFormat(tokens: readonly Token[]): string | null {
  const at = tokens.findLastIndex((token, index) => isWord(token, 'FORMAT') && nameOf(tokens[index + 1]) !== null);
  return at < 0 ? null : nameOf(tokens[at + 1]);
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
