import { afterAll, beforeAll, describe } from 'bun:test';
import { postgresContent } from '../../src/adapters/postgres/content.ts';
import type { ContentStore } from '../../src/ports/content.ts';
import { rules } from '../support/content.ts';
import { freshDatabase, isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { contentContract } from './content.contract.ts';

const given = process.env.UGC_TEST_DATABASE_URL;

describe.skipIf(await isWithoutPostgres())('in PostgreSQL', () => {
  let own: TestPostgres | null = null;

  beforeAll(async () => {
    if (given === undefined) own = await startPostgres({ isSynced: false });
  });
  afterAll(() => own?.stopForGood());

  contentContract(
    'postgres',
    async () => {
      const url = await freshDatabase(given ?? own?.url ?? '');
      const opened: ContentStore[] = [];
      return {
        async open() {
          const store = postgresContent({ url, ca: null, connectionsMax: 4, viewing: rules });
          opened.push(store);
          return store;
        },
        dispose: async () => void (await Promise.all(opened.map(store => store.close()))),
      };
    },
    true,
  );
});
