// ClickHouse SQL as text: quoting, and a reader of tokens good enough to say what kind of statement it is, where a second
// one starts, and which functions it names. It follows ClickHouse's own Lexer (src/Parsers/Lexer.cpp): strings with
// backslashes and doubled quotes, `names`, "names", -- and # comments, /* */, $tag$ heredocs $tag$, and typographic quotes.

/** A name in backticks. */
export const quoteName = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

/** A text literal. */
export const quoteText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign';
  /** Words as written; names and texts without quotes, with their escapes as written. */
  readonly value: string;
  /** First character, and the one after the last, in the SQL. */
  readonly from: number;
  readonly to: number;
}

const patterns: readonly (readonly [Token['kind'] | 'skip', RegExp])[] = [
  ['skip', /[\s\u0000\u00a0\u200b-\u200d\u2028-\u202f\u205f-\u2060\u3000\ufeff]+|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$)/uy],
  ['text', /'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|[\u2018\u2019][^\u2018\u2019]*(?:[\u2018\u2019]|$)/uy],
  ['name', /`(?:[^`\\]|``|\\[\s\S])*(?:`|$)|"(?:[^"\\]|""|\\[\s\S])*(?:"|$)|[\u201c\u201d][^\u201c\u201d]*(?:[\u201c\u201d]|$)/uy],
  ['text', /(\$\w*\$)[\s\S]*?(?:\1|$)/uy],
  ['word', /[A-Za-z_$][\w$]*/uy],
  ['number', /\d[\w.]*/uy],
  ['sign', /[\s\S]/uy],
];

/** The tokens of `sql`, at most `max`. Never throws: what cannot be told apart is a sign. */
export function* tokensOf(sql: string): Generator<Token> {
  let at = 0;
  while (at < sql.length) {
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const found = pattern.exec(sql)?.[0];
      if (found === undefined) continue;
      const [from, to] = [at, at + found.length];
      at = to;
      if (kind === 'name' || kind === 'text') {
        const edge = found.startsWith('$') ? found.indexOf('$', 1) + 1 : 1;
        yield { kind, value: found.slice(edge, -edge), from, to };
      } else if (kind !== 'skip') yield { kind, value: found, from, to };
      break;
    }
  }
}
