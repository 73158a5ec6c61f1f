// The page as a whole: where one is by the address's fragment, the way to the other views, the key that is asked for.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Overview } from '../answers.ts';
import { Aggregates } from './aggregates.tsx';
import { key, keyWanted, showKey, useAsked } from './ask.ts';
import { Catalogue } from './catalogue.tsx';
import { Dead } from './dead.tsx';
import { First } from './first.tsx';
import { Flow } from './flow.tsx';
import { Live } from './live.tsx';
import { Problem, State } from './parts.tsx';
import { Query } from './query.tsx';
import { Rejected } from './rejected.tsx';
import { Send } from './send.tsx';
import { history, readStats, streamProblem } from './stats.ts';
import { useStore } from './store.ts';
import { choose, chosen, type Theme, themes } from './theme.ts';
import type { Viewed } from './viewed.ts';
import { rate } from './words.ts';

const views: readonly (readonly [path: string, name: string, view: (props: Viewed) => JSX.Element])[] = [
  ['flow', 'Flow', Flow],
  ['live', 'Live events', Live],
  ['rejected', 'Rejected', Rejected],
  ['dead', 'Dead letters', Dead],
  ['catalogue', 'Catalogue', Catalogue],
  ['query', 'Query', Query],
  ['aggregates', 'Aggregates', Aggregates],
  ['send', 'Send a test event', Send],
];

const overviewEveryMs = 10_000;

function useAddress(): readonly [path: string, rest: string] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const update = (): void => setHash(location.hash);
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  const [, path = '', rest = ''] = /^#\/([a-z]*)\/?(.*)$/.exec(hash) ?? [];
  return [path, decoded(rest)];
}

/** An address may be of anybody's making. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function App() {
  const [path, rest] = useAddress();
  const { value: overview, error, again } = useAsked<Overview>('/v1/console/overview', overviewEveryMs);
  const wanted = useStore(keyWanted);
  useEffect(readStats, []);
  const [current, , Current] = views.find(([name]) => name === path) ?? views[0]!;
  const isFirst = overview?.is_empty === true && path === '';
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <header class="side">
        <a class="brand" href="#/">
          ugc
        </a>
        <nav aria-label="Views">
          <ul>
            {views.map(([name, words]) => (
              <li key={name}>
                <a href={`#/${name}`} aria-current={name === current && !isFirst ? 'page' : undefined}>
                  {words}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Foot overview={overview} />
      </header>
      <main id="main" tabIndex={-1}>
        {wanted !== null && <KeyPrompt words={wanted} />}
        {wanted === null && error !== null && <Problem words={error} again={again} />}
        {overview === null ? (
          <p class="dim">{wanted === null && error === null ? 'Asking…' : ''}</p>
        ) : isFirst ? (
          <First overview={overview} rest="" />
        ) : (
          <Current key={current} overview={overview} rest={rest} />
        )}
      </main>
    </>
  );
}

function Foot({ overview }: { readonly overview: Overview | null }) {
  const problem = useStore(streamProblem);
  const last = useStore(history).at(-1);
  const theme = useStore(chosen);
  return (
    <div class="foot">
      {problem === '' ? (
        <State state="ok" words={last === undefined ? 'live' : `live, ${rate(last.events.in)}`} />
      ) : (
        <State state="waiting" words="not live" />
      )}
      <label>
        <span class="unseen">Colours</span>
        <select value={theme} onChange={event => choose(event.currentTarget.value as Theme)}>
          {themes.map(name => (
            <option key={name} value={name}>
              {name === 'system' ? 'as the system' : name}
            </option>
          ))}
        </select>
      </label>
      {overview !== null && (
        <p class="dim version">
          {overview.version} · {overview.roles.join(', ')}
        </p>
      )}
      {overview?.auth !== undefined && overview.auth !== 'none' && (
        <button type="button" onClick={() => showKey('')}>
          Forget the key
        </button>
      )}
    </div>
  );
}

function KeyPrompt({ words }: { readonly words: string }) {
  const [text, setText] = useState('');
  function show(event: Event): void {
    event.preventDefault();
    if (text.trim() !== '') showKey(text.trim());
  }
  return (
    <form class="panel prompt" onSubmit={show}>
      <h1>{key.get() === '' ? 'A key, please' : 'This key does not open the console'}</h1>
      <p class="lines">{words}</p>
      <p class="dim">
        An API key or a token with the scope admin. It stays in this tab, and is gone when the tab is closed.
      </p>
      <label>
        Key
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="main">
        Show it
      </button>
    </form>
  );
}
