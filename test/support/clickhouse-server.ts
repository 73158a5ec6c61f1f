// A ClickHouse over real HTTP for tests, in a process that may be stopped and killed: the embedded engine behind its HTTP
// interface. Usage: bun run clickhouse-server.ts <folder> <port> <readonly|writable>; prints its port once it answers.

import { openEngine } from '../../src/adapters/chdb/engine.ts';
import { serveClickhouseHttp } from '../../src/adapters/chdb/http.ts';

const [path, port, mode] = process.argv.slice(2) as [string, string, string];
const engine = openEngine({ path, memoryBytesMax: 2 ** 30 });
const http = serveClickhouseHttp({
  engine,
  host: '127.0.0.1',
  port: Number(port),
  readonly: mode === 'readonly',
  database: 'default',
});
process.once('SIGTERM', async () => {
  await http.stop();
  await engine.close();
  process.exit(0);
});
console.log(http.port);
