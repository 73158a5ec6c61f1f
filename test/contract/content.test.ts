import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryContent } from '../../src/adapters/memory/content.ts';
import { sqliteContent } from '../../src/adapters/sqlite-content/content.ts';
import type { ContentStore } from '../../src/ports/content.ts';
import { type MakeContent, rules } from '../support/content.ts';
import { contentContract } from './content.contract.ts';

contentContract(
  'memory',
  async () => {
    const store = memoryContent({ viewing: rules });
    return { open: async () => store, dispose: () => store.close() };
  },
  false,
);

contentContract(
  'sqlite',
  async (): Promise<MakeContent> => {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-content-'));
    const opened: ContentStore[] = [];
    return {
      async open() {
        const store = sqliteContent({ path: join(folder, 'content.sqlite'), viewing: rules });
        opened.push(store);
        return store;
      },
      async dispose() {
        await Promise.all(opened.map(store => store.close()));
        rmSync(folder, { recursive: true });
      },
    };
  },
  true,
);
