import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { paceOf } from '../../../src/mover/pace.ts';
import { soon, until } from '../../support/until.ts';

const long = 60_000;
let over: AbortController;
let never: AbortSignal;

beforeEach(() => {
  over = new AbortController();
  never = over.signal;
});

/** No timer outlives its test. */
afterEach(() => over.abort());

/** Those who have had their turn, in that order. */
function queueOf(pace: ReturnType<typeof paceOf>) {
  const had: string[] = [];
  return {
    had,
    ask: (name: string, signal = never): void => {
      void pace.turn(signal).then(() => {
        if (!signal.aborted) had.push(name);
      });
    },
  };
}

describe('turns', () => {
  test('that have gathered at rest are taken at once, and no more of them', async () => {
    const { had, ask } = queueOf(paceOf({ intervalMs: long, sparesMax: 2 }));
    for (const name of ['a', 'b', 'c', 'd']) ask(name);
    await until(() => had.length === 3, 'the one that was due and the two to spare');
    await Bun.sleep(30); // the window in which the fourth may not have its turn
    expect(had).toEqual(['a', 'b', 'c']);
  });

  test('come in the order in which they were asked for, an interval apart', async () => {
    const { had, ask } = queueOf(paceOf({ intervalMs: 20, sparesMax: 0 }));
    const startedAt = performance.now();
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name);
    await until(() => had.length === 5, 'everybody has had one');
    expect(had).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(performance.now() - startedAt).toBeGreaterThan(75); // four intervals, less what a timer may be early
  });

  test('that nobody waits for any more are not used up', async () => {
    const pace = paceOf({ intervalMs: long, sparesMax: 1 });
    const { had, ask } = queueOf(pace);
    await soon(pace.turn(never), 'the first');
    await soon(pace.turn(AbortSignal.abort()), 'one whose caller has gone');
    ask('b');
    await until(() => had.length === 1, 'the spare one is still there');
  });

  test('end at once for a caller that waits no more, wherever it stands', async () => {
    const pace = paceOf({ intervalMs: long, sparesMax: 0 });
    const [first, middle] = [new AbortController(), new AbortController()];
    await soon(pace.turn(never), 'the one that was due');
    const ended = [pace.turn(first.signal), pace.turn(middle.signal)];
    middle.abort();
    await soon(ended[1]!, 'the one in the middle');
    first.abort();
    await soon(ended[0]!, 'the one in front');
  });

  test('go on behind a caller that has gone', async () => {
    const pace = paceOf({ intervalMs: 50, sparesMax: 0 });
    const { had, ask } = queueOf(pace);
    const gone = new AbortController();
    await soon(pace.turn(never), 'the one that was due');
    void pace.turn(gone.signal);
    ask('last');
    gone.abort();
    await until(() => had.length === 1, 'who stands behind it has its turn');
  });

  test('without an interval are everybody’s at once', async () => {
    const { had, ask } = queueOf(paceOf({ intervalMs: 0, sparesMax: 0 }));
    for (let at = 0; at < 100; at++) ask(`${at}`);
    await until(() => had.length === 100, 'all of them');
  });
});
