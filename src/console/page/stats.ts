// How the process is, once a second, for every view: one stream, and what it told in the last ten minutes. Nothing is asked
// while nobody looks at the page.

import type { Stats } from '../../ports/passing.ts';
import { key } from './ask.ts';
import { store } from './store.ts';
import { readStream } from './stream.ts';

const keptMax = 600;

/** Oldest first. */
export const history = store<readonly Stats[]>([]);
/** '' = the stream is read; else why not. */
export const streamProblem = store('not yet asked');

/** Answers how to stop. */
export function readStats(): () => void {
  let stop = (): void => {};
  function begin(): void {
    stop();
    stop = document.hidden
      ? () => {}
      : readStream('kinds=stats', {
          onState: problem => streamProblem.set(problem),
          onMessage: ({ event, data }) => {
            if (event === 'stats') history.set([...history.get().slice(1 - keptMax), JSON.parse(data) as Stats]);
          },
        });
  }
  begin();
  const unwatch = key.watch(begin);
  document.addEventListener('visibilitychange', begin);
  return () => {
    stop();
    unwatch();
    document.removeEventListener('visibilitychange', begin);
  };
}
