// ClickHouse's errors in our four words, in one table. What a code means is decided by one question each: did anything
// land? For certain not, and never will → refused. Not, but an operator can repair it → halted. Perhaps, or later → the
// rest. Codes: ClickHouse src/Common/ErrorCodes.cpp.

import { ClickHouseError } from '@clickhouse/client';
import { type ErrorCode, messageOf, PipelineError } from '../../errors.ts';
import { tlsProblemOf } from '../../process/tls-problem.ts';
import { NotShown } from './client.ts';

type SinkCode = Extract<ErrorCode, `sink_${string}`>;

const codes: Readonly<Record<Exclude<SinkCode, 'sink_unknown'>, readonly number[]>> = {
  // The rows themselves: they will be refused again.
  sink_refused: [
    6, // CANNOT_PARSE_TEXT
    25, // CANNOT_PARSE_ESCAPE_SEQUENCE
    26, // CANNOT_PARSE_QUOTED_STRING
    27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    32, // ATTEMPT_TO_READ_AFTER_EOF
    33, // CANNOT_READ_ALL_DATA
    38, // CANNOT_PARSE_DATE
    41, // CANNOT_PARSE_DATETIME
    53, // TYPE_MISMATCH
    69, // ARGUMENT_OUT_OF_BOUND
    70, // CANNOT_CONVERT_TYPE
    72, // CANNOT_PARSE_NUMBER
    117, // INCORRECT_DATA
    130, // CANNOT_READ_ARRAY_FROM_TEXT
    131, // TOO_LARGE_STRING_SIZE
    190, // SIZES_OF_ARRAYS_DONT_MATCH
    321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
    376, // CANNOT_PARSE_UUID
    407, // DECIMAL_OVERFLOW
    441, // CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING
    457, // BAD_QUERY_PARAMETER
    467, // CANNOT_PARSE_BOOL
    469, // VIOLATED_CONSTRAINT
    675, // CANNOT_PARSE_IPV4
    676, // CANNOT_PARSE_IPV6
    691, // UNKNOWN_ELEMENT_OF_ENUM
  ],
  // It has too much to do: later is better.
  sink_overloaded: [
    159, // TIMEOUT_EXCEEDED
    160, // TOO_SLOW
    173, // CANNOT_ALLOCATE_MEMORY
    202, // TOO_MANY_SIMULTANEOUS_QUERIES
    203, // NO_FREE_CONNECTION
    225, // NO_ZOOKEEPER
    241, // MEMORY_LIMIT_EXCEEDED
    242, // TABLE_IS_READ_ONLY: a replica without its keeper
    252, // TOO_MANY_PARTS
    254, // NO_ACTIVE_REPLICAS
    279, // ALL_CONNECTION_TRIES_FAILED
    285, // TOO_FEW_LIVE_REPLICAS
    286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
    289, // REPLICA_IS_NOT_IN_QUORUM
    425, // SYSTEM_ERROR
    439, // CANNOT_SCHEDULE_TASK
    473, // DEADLOCK_AVOIDED
    745, // SERVER_OVERLOADED
  ],
  // An operator has to repair something; until then every repetition fails alike.
  sink_halted: [
    8, // THERE_IS_NO_COLUMN
    10, // NOT_FOUND_COLUMN_IN_BLOCK
    16, // NO_SUCH_COLUMN_IN_TABLE
    20, // NUMBER_OF_COLUMNS_DOESNT_MATCH
    36, // BAD_ARGUMENTS
    43, // ILLEGAL_TYPE_OF_ARGUMENT
    44, // ILLEGAL_COLUMN
    46, // UNKNOWN_FUNCTION
    47, // UNKNOWN_IDENTIFIER
    48, // NOT_IMPLEMENTED
    60, // UNKNOWN_TABLE
    62, // SYNTAX_ERROR
    73, // UNKNOWN_FORMAT
    81, // UNKNOWN_DATABASE
    115, // UNKNOWN_SETTING
    164, // READONLY
    192, // UNKNOWN_USER
    193, // WRONG_PASSWORD
    194, // REQUIRED_PASSWORD
    195, // IP_ADDRESS_NOT_ALLOWED
    201, // QUOTA_EXCEEDED
    218, // TABLE_IS_DROPPED
    243, // NOT_ENOUGH_SPACE
    291, // DATABASE_ACCESS_DENIED
    344, // SUPPORT_IS_DISABLED
    452, // SETTING_CONSTRAINT_VIOLATION
    497, // ACCESS_DENIED
    516, // AUTHENTICATION_FAILED
    701, // CLUSTER_DOESNT_EXIST
    574, // AMBIGUOUS_ASSIGNMENT
    774, // TABLE_IS_PERMANENTLY_READ_ONLY: an operator set table_readonly
  ],
};

const meaning = new Map<number, SinkCode>(
  Object.entries(codes).flatMap(([word, list]) => list.map(code => [code, word as SinkCode] as const)),
);

/**
 * What a ClickHouse code means for an insert. Everything not in the table is an unknown outcome: repeating an insert with
 * its token is harmless, giving one up is not.
 */
export function meaningOf(code: number, message: string): SinkCode {
  // JSONEachRow says 117 for a field it has no column for. Every insert names the catalogue's columns, so a table that
  // lacks one says 16; this is a record of a newer catalogue than ours. Its event was acked: wait for the upgrade.
  if (code === 117 && /Unknown field found/.test(message)) return 'sink_halted';
  // A materialized view that an operator hung on the table fails, whatever its own code says: the rows are not to blame,
  // and they may be stored already. It goes on with the same token once the view is repaired or dropped.
  if (/while pushing to view|of view .* doesn't exists?/.test(message) && meaning.get(code) !== 'sink_overloaded')
    return 'sink_halted';
  return meaning.get(code) ?? 'sink_unknown';
}

/**
 * The one place where errors of the driver and of ClickHouse become ours. `doing` begins the message: `inserting into
 * click`.
 */
export function sinkError(cause: unknown, doing: string): PipelineError {
  if (cause instanceof PipelineError) return cause;
  const said = messageOf(cause);
  if (cause instanceof ClickHouseError) {
    const code = Number(cause.code);
    const word = meaningOf(code, said);
    return new PipelineError(word, `${doing}: ${remedies[word]}${said.trim()} (${code} ${cause.type ?? ''})`, {
      cause,
    });
  }
  // Perhaps it was done, perhaps a proxy has answered: repeating under the same token is right either way.
  if (cause instanceof NotShown)
    return new PipelineError('sink_unknown', cause.isStranger ? said : `${doing}: ${remedies.sink_unknown}${said}`, {
      cause,
    });
  // No statement was sent: for certain nothing landed.
  const distrust = tlsProblemOf(cause);
  if (distrust !== null)
    return new PipelineError('sink_halted', `${doing}: no TLS to ClickHouse: ${distrust}; see UGC_CLICKHOUSE_TLS_CA`, {
      cause,
    });
  // Refused connections too: nothing landed, but the same token makes repeating safe, and repeating is all there is to
  // do.
  return new PipelineError('sink_unknown', `${doing}: no answer from ClickHouse: ${firstOf(said)}`, { cause });
}

/** What is no ClickHouse may answer with a whole page. */
const firstOf = (said: string): string => (said.length > 300 ? `${said.slice(0, 300)}…` : said);

const remedies: Readonly<Record<SinkCode, string>> = {
  sink_refused: 'ClickHouse refused the rows: ',
  sink_overloaded: 'ClickHouse is overloaded: ',
  sink_halted: 'ClickHouse needs repair: ',
  sink_unknown: 'the outcome is unknown: ',
};
