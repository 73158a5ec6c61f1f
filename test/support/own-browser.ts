// A Chromium nobody drives: it opens a page, and what happens is what the page's own scripts do. One that is driven keeps its
// pages visible and prepares none unseen, so tabs in the background and prerendering can be seen here alone.

import { temporaryFolder } from './ugc.ts';

export interface OwnBrowser {
  close(): Promise<void>;
}

export function ownBrowser(executablePath: string, url: string): OwnBrowser {
  const child = Bun.spawn(
    [
      executablePath,
      '--headless=new',
      '--no-sandbox',
      '--no-first-run',
      '--disable-popup-blocking',
      '--remote-debugging-port=0', // or a headless one opens no second tab
      `--user-data-dir=${temporaryFolder()}`,
      url,
    ],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
  );
  return {
    async close() {
      child.kill();
      await child.exited;
    },
  };
}
