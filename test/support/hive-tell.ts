// Tells Hive of a day of a type; compiled by the test that runs it: URL, location, type, day.

import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { hiveTables } from '../../src/adapters/hive/tables.ts';

const [url = '', location = '', name = '', day = ''] = process.argv.slice(2);
const type = catalogue.find(name);
if (type === undefined) throw new Error(`there is no type ${name}`);
const tables = hiveTables({ url, location, timeoutMs: 60_000 });
await tables.tell([{ definition: tableOf(type), format: 'parquet', days: [day] }]);
await tables.close();
console.log('told');
