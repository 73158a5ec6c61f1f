// A session of HiveServer2: statements one after another, and the rows of those that have some, as texts. Numbers of fields
// and enumerations are TCLIService.thrift's; HiveServer2 has kept them since 2013.

import { sleep } from '../../process/sleep.ts';
import { type ConnectionOptions, openConnection } from './connection.ts';
import type { Field, Read, Struct } from './thrift.ts';

export interface HiveSession {
  /** Rejects with HiveRefusal when Hive says no, with something else when the connection fails. */
  run(statement: string, signal?: AbortSignal): Promise<readonly (readonly (string | null)[])[]>;
  close(): Promise<void>;
}

/** Hive's own words, without the chain of its classes. */
export class HiveRefusal extends Error {
  override readonly name = 'HiveRefusal';
  constructor(
    message: string,
    readonly sqlState: string,
  ) {
    super(message);
  }
}

export interface SessionOptions extends ConnectionOptions {
  readonly user: string;
  /** A statement that is not done by then is given up. */
  readonly statementMsMax: number;
}

/** HIVE_CLI_SERVICE_PROTOCOL_V8: columns come as columns. */
const protocol = 7;
const statuses = { success: 0, withInfo: 1 };
const states = { finished: 2, canceled: 3, closed: 4, error: 5, timedOut: 8 };
const fetchRows = 10_000;
const never = new AbortController().signal;

export async function openSession(options: SessionOptions, signal?: AbortSignal): Promise<HiveSession> {
  const connection = await openConnection(options, signal);
  const call = async (method: string, request: readonly Field[], callSignal?: AbortSignal): Promise<Struct> => {
    const answer = await connection.call(method, request, callSignal);
    refuseUnless(answer.get(1) as Struct);
    return answer;
  };
  const opened = await call(
    'OpenSession',
    [
      [1, { i32: protocol }],
      [2, { text: options.user }],
      [3, { text: options.plain?.password ?? 'anonymous' }],
      [4, { texts: { 'use:database': 'default' } }],
    ],
    signal,
  ).catch(error => {
    connection.close();
    throw error;
  });
  const session = handleOf(opened.get(3) as Struct);

  const rowsOf = async (operation: Field, rowSignal?: AbortSignal): Promise<(string | null)[][]> => {
    const rows: (string | null)[][] = [];
    for (;;) {
      const page = await call('FetchResults', [operation, [2, { i32: 0 }], [3, { i64: fetchRows }]], rowSignal);
      const columns = ((page.get(3) as Struct).get(3) as readonly Struct[] | undefined)?.map(textsOf) ?? [];
      const count = columns[0]?.length ?? 0;
      if (count === 0) return rows;
      for (let at = 0; at < count; at++) rows.push(columns.map(column => column[at] ?? null));
    }
  };

  const finished = async (operation: Field, runSignal?: AbortSignal): Promise<void> => {
    const deadline = performance.now() + options.statementMsMax;
    for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 500)) {
      const status = await call('GetOperationStatus', [operation], runSignal);
      const state = status.get(2);
      if (state === states.finished) return;
      const isOver = [states.canceled, states.closed, states.error, states.timedOut].includes(Number(state));
      if (isOver) throw refusal(status.get(5), status.get(3));
      if (performance.now() > deadline) throw new Error(`a statement was not done within ${options.statementMsMax} ms`);
      await sleep(pauseMs, runSignal ?? never);
    }
  };

  return {
    async run(statement, runSignal) {
      const request: Field[] = [
        [1, session],
        [2, { text: statement }],
        [4, { bool: true }],
      ];
      const started = (await call('ExecuteStatement', request, runSignal)).get(2) as Struct;
      const operation: Field = [1, handleOf(started, started)];
      try {
        await finished(operation, runSignal);
        return started.get(3) === true ? await rowsOf(operation, runSignal) : [];
      } finally {
        await call('CloseOperation', [operation]).catch(() => {});
      }
    },
    async close() {
      await call('CloseSession', [[1, session]]).catch(() => {});
      connection.close();
    },
  };
}

/** A handle as it is sent back: of a session, or with what else an operation's has. */
function handleOf(handle: Struct, operation?: Struct): Field[1] {
  const id = handle.get(1) as Struct;
  const identifier: Field = [
    1,
    {
      struct: [
        [1, { bytes: id.get(1) as Buffer }],
        [2, { bytes: id.get(2) as Buffer }],
      ],
    },
  ];
  return operation === undefined
    ? { struct: [identifier] }
    : {
        struct: [identifier, [2, { i32: Number(operation.get(2)) }], [3, { bool: operation.get(3) === true }]],
      };
}

function refuseUnless(status: Struct): void {
  const code = status.get(1);
  if (code !== statuses.success && code !== statuses.withInfo) throw refusal(status.get(5), status.get(3));
}

const refusal = (message: Read | undefined, sqlState: Read | undefined): HiveRefusal =>
  new HiveRefusal(
    String(message ?? 'it says no more')
      .replace(/^(?:Error while (?:compiling|processing) statement: )?(?:FAILED: )?/, '')
      .slice(0, 1_000),
    String(sqlState ?? ''),
  );

/** A column's values; a bit in its second field tells of a null. */
function textsOf(column: Struct): (string | null)[] {
  const [kind, values] = [...column][0] as [number, Struct];
  const nulls = values.get(2) as Buffer;
  return (values.get(1) as readonly Read[]).map((value, at) =>
    ((nulls[at >> 3] ?? 0) >> (at & 7)) & 1 ? null : kind === 8 ? (value as Buffer).toString('hex') : String(value),
  );
}
