// A box for SQL, read only, and what came of it as a table and, where it can be drawn, as a chart. What was asked is
// remembered for as long as the page lives.

import { useRef, useState } from 'preact/hooks';
import type { QueryAnswer } from '../answers.ts';
import { post, wordsFor } from './ask.ts';
import { Grid, Problem, View } from './parts.tsx';
import { isNumeric, ResultChart } from './query-chart.tsx';
import { store, useStore } from './store.ts';
import type { Viewed } from './viewed.ts';
import { cell, milliseconds, number } from './words.ts';

const rememberedMax = 50;
const rowsShown = 200;

/** Newest first. */
const asked = store<readonly string[]>([]);
const draft = store('SELECT event_type, count() AS events\nFROM events\nGROUP BY event_type\nORDER BY events DESC');
const answer = store<QueryAnswer | null>(null);

export function Query(_: Viewed) {
  const sql = useStore(draft);
  const known = useStore(asked);
  const found = useStore(answer);
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const turn = useRef(0);
  async function run(): Promise<void> {
    const own = ++turn.current;
    setBusy(true);
    setError('');
    asked.set([sql, ...known.filter(one => one !== sql)].slice(0, rememberedMax));
    try {
      const next = await post<QueryAnswer>('/v1/console/query', { sql });
      if (own === turn.current) answer.set(next);
    } catch (failure) {
      if (own === turn.current) setError(wordsFor(failure));
    }
    if (own === turn.current) setBusy(false);
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void run();
  }
  return (
    <View title="Query" about={'One statement of SQL that reads: at most 10\u00a0000 rows and ten seconds.'}>
      <form
        class="panel"
        onSubmit={event => {
          event.preventDefault();
          void run();
        }}
      >
        <label class="wide">
          SQL (Ctrl and Enter runs it)
          <textarea
            rows={8}
            spellcheck={false}
            class="code"
            value={sql}
            onInput={event => draft.set(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </label>
        <div class="tools">
          <button type="submit" class="main" disabled={isBusy || sql.trim() === ''}>
            {isBusy ? 'Asking…' : 'Run'}
          </button>
          <label>
            Asked before{' '}
            <select value="" disabled={known.length === 0} onChange={event => draft.set(event.currentTarget.value)}>
              <option value="">{known.length === 0 ? 'nothing yet' : 'choose'}</option>
              {known.map(one => (
                <option key={one} value={one}>
                  {one.replace(/\s+/g, ' ').slice(0, 80)}
                </option>
              ))}
            </select>
          </label>
        </div>
      </form>
      <div aria-live="polite">
        {error !== '' && <Problem words={error} again={() => void run()} />}
        {found !== null && (
          <p class="dim">
            {number(found.rows.length)} {found.rows.length === 1 ? 'row' : 'rows'} in {milliseconds(found.elapsed_ms)}
            {found.cut ? ', and there are more' : ''}
          </p>
        )}
      </div>
      {found !== null && <Result key={String(turn.current)} found={found} />}
    </View>
  );
}

function Result({ found }: { readonly found: QueryAnswer }) {
  const [shown, setShown] = useState(rowsShown);
  if (found.rows.length === 0) return <p class="none panel dim">No rows.</p>;
  return (
    <>
      <ResultChart answer={found} />
      <Grid
        caption="What was found"
        columns={found.columns.map(({ name, type }) => (isNumeric(type) ? `#${name}` : name))}
        rows={found.rows.slice(0, shown).map(row => row.map(cell))}
      />
      {shown < found.rows.length && (
        <button type="button" onClick={() => setShown(shown + 1_000)}>
          Show more of {number(found.rows.length)}
        </button>
      )}
    </>
  );
}
