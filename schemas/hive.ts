// The cold side of a type: the columns of its CSV files, the Hive table over them, and the view that gives the columns
// their types. OpenCSVSerde reads every column as text, so types are made in the view. Shown on Hive 4.0.1.
//
// The files: a line an event, no header line (Hive ignores skip.header.line.count in MapReduce queries), fields quoted
// where they have to be, quotes doubled. Null is \N; in text a backslash is \s, a line feed \n, a carriage return \r,
// since Hive ends a line at either whatever is quoted. OpenCSVSerde takes a backslash away unless it is told another
// escape character, and with '"' it is not told; so the escape is a line feed, which no field can hold.

import type { EventType } from './event.ts';
import { tableOf } from './table.ts';

/** The columns of a type's CSV files, in order. */
export const csvHeader = (type: EventType): string =>
  tableOf(type)
    .columns.map(({ name }) => name)
    .join(',');

/** Two statements. ${hivevar:location} is the folder that holds a folder for each type, and in it one for each day. */
export function hiveDdl(type: EventType): string {
  const { columns, summary } = tableOf(type);
  const raw = columns.map(({ name, about }) => `  \`${name}\` string COMMENT ${quoted(about)}`);
  const typed = columns.map(({ name, type: column, words }) => {
    const value = `  ${castOf(`\`${name}\``, column)} AS \`${name}\``;
    return words === undefined ? value : `${value},\n  ${caseOf(`\`${name}\``, words.of)} AS \`${words.column}\``;
  });
  return `-- CSV: ${csvHeader(type)}
CREATE EXTERNAL TABLE IF NOT EXISTS ugc.${type.name}_csv (
${raw.join(',\n')}
) COMMENT ${quoted(summary)}
PARTITIONED BY (\`day\` string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('separatorChar'=',', 'quoteChar'='"', 'escapeChar'='\\n')
STORED AS TEXTFILE
LOCATION '\${hivevar:location}/${type.name}';

CREATE OR REPLACE VIEW ugc.${type.name} COMMENT ${quoted(summary)} AS SELECT
${typed.join(',\n')},
  \`day\`
FROM ugc.${type.name}_csv;`;
}

const hiveTypes: Readonly<Record<string, string>> = {
  Int8: 'tinyint',
  UInt8: 'smallint',
  UInt16: 'int',
  Int32: 'int',
  UInt32: 'bigint',
  Int64: 'bigint',
  Float64: 'double',
};

/** `\N` becomes null in a cast by itself. The escapes are told apart whatever the order, as each has one letter. */
function castOf(name: string, column: string): string {
  const type = column.replace(/^(?:LowCardinality|Nullable)\((.+)\)$/, '$1').replace(/^Nullable\((.+)\)$/, '$1');
  if (type.startsWith('DateTime64')) return `cast(replace(replace(${name}, 'T', ' '), 'Z', '') AS timestamp)`;
  if (type === 'Bool') return `CASE ${name} WHEN 'true' THEN true WHEN 'false' THEN false END`;
  const number = hiveTypes[type];
  if (number !== undefined) return `cast(${name} AS ${number})`;
  if (type === 'UUID') return column.includes('Nullable') ? `nullif(${name}, '\\\\N')` : name;
  const text = `replace(replace(replace(${name}, '\\\\n', '\\n'), '\\\\r', '\\r'), '\\\\s', '\\\\')`;
  return column.includes('Nullable') ? `CASE ${name} WHEN '\\\\N' THEN NULL ELSE ${text} END` : text;
}

const caseOf = (name: string, words: Readonly<Record<number, string>>): string =>
  `CASE ${name} ${Object.entries(words)
    .map(([number, word]) => `WHEN '${number}' THEN ${quoted(word)}`)
    .join(' ')} END`;

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll(';', ',')}'`;
