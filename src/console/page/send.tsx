// Sends one event from the page and follows it: each place is ticked once the event is there.

import { useEffect, useState } from 'preact/hooks';
import type { ConsoleType, ConsoleTypes, EventStory, Overview } from '../answers.ts';
import { ask, key, useAsked, withKey, wordsFor, wordsOf } from './ask.ts';
import { Snippets } from './catalogue.tsx';
import { Problem, Shown, View } from './parts.tsx';
import { Found, Steps } from './story.tsx';
import type { Viewed } from './viewed.ts';

const askedEveryMs = 300;
const askedMsMax = 30_000;
const shownFirst = 'click';

export function Send({ overview, rest }: Viewed) {
  const asked = useAsked<ConsoleTypes>('/v1/console/types');
  return (
    <View title="Send a test event" about="It is a real event: it becomes a row, and stays one.">
      <Shown asked={asked}>
        {({ types }) => {
          const type = types.find(one => one.type === rest) ?? types.find(one => one.type === shownFirst) ?? types[0];
          return type === undefined ? (
            <p class="dim">The catalogue is empty.</p>
          ) : (
            <>
              <label>
                Type{' '}
                <select
                  value={type.type}
                  onChange={event => {
                    location.hash = `#/send/${encodeURIComponent(event.currentTarget.value)}`;
                  }}
                >
                  {types.map(one => (
                    <option key={one.type} value={one.type}>
                      {one.type}
                    </option>
                  ))}
                </select>
              </label>
              <Form key={type.type} type={type} overview={overview} />
            </>
          );
        }}
      </Shown>
    </View>
  );
}

interface FormProps {
  readonly type: ConsoleType;
  readonly overview: Overview;
}

function Form({ type, overview }: FormProps) {
  const [text, setText] = useState(() => fresh(type));
  const [ownKey, setOwnKey] = useState('');
  const [sent, setSent] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const isElsewhere = new URL(overview.events_url).origin !== location.origin;
  async function send(event: Event): Promise<void> {
    event.preventDefault();
    if (isElsewhere) return;
    setBusy(true);
    setError('');
    setSent(null);
    try {
      setSent(await sendOne(overview.events_url, text, ownKey === '' ? key.get() : ownKey));
      setText(fresh(type));
    } catch (failure) {
      setError(wordsFor(failure));
    }
    setBusy(false);
  }
  return (
    <>
      {isElsewhere && (
        <p class="about">
          Events go to {overview.events_url}, where this page may not send. Send it as shown beneath, and follow it
          here.
        </p>
      )}
      <form class="panel" onSubmit={event => void send(event)}>
        <label class="wide">
          The event, as JSON
          <textarea
            rows={Math.min(24, text.split('\n').length + 1)}
            spellcheck={false}
            class="code"
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
        </label>
        {overview.auth !== 'none' && !isElsewhere && (
          <label class="wide">
            Key to send with (empty: the one shown to the console)
            <input
              type="password"
              autocomplete="off"
              value={ownKey}
              onInput={event => setOwnKey(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="tools">
          {isElsewhere ? (
            <button type="button" class="main" onClick={() => setSent(idIn(text))}>
              Follow it
            </button>
          ) : (
            <button type="submit" class="main" disabled={isBusy}>
              {isBusy ? 'Sending…' : 'Send'}
            </button>
          )}
          <button type="button" onClick={() => setText(fresh(type))}>
            The example again
          </button>
        </div>
      </form>
      <div aria-live="polite">{error !== '' && <Problem words={error} />}</div>
      {sent !== null && <Followed key={sent} id={sent} />}
      <details open={isElsewhere}>
        <summary>Send it from elsewhere</summary>
        <Snippets
          type={{ ...type, example: objectIn(text) ?? type.example }}
          options={{ eventsUrl: overview.events_url, isClosed: overview.auth !== 'none' }}
        />
      </details>
    </>
  );
}

/** Of just now, with an id of its own: sent twice, it is one row. */
const fresh = ({ example }: ConsoleType): string =>
  JSON.stringify({ event_id: idOfNow(), ...example, timestamp: new Date().toISOString() }, null, 2);

/** Null: it is none. */
function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function idIn(text: string): string | null {
  const id = objectIn(text)?.event_id;
  return typeof id === 'string' ? id : null;
}

/** A UUIDv7 (RFC 9562): ids that lie in order of time are read faster. */
function idOfNow(): string {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const hex = [...random].map(byte => byte.toString(16).padStart(2, '0')).join('');
  const time = Date.now().toString(16).padStart(12, '0');
  const variant = (8 + (random[2]! & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(5, 8)}-${hex.slice(8, 20)}`;
}

/** Resolves with the event's id; rejects in words. */
async function sendOne(url: string, body: string, shown: string): Promise<string> {
  const headers = { 'content-type': 'application/json', ...withKey(shown) };
  const answer = await fetch(url, { method: 'POST', body, headers }).catch(() => {
    throw new Error(`${url} could not be asked from this page. Send it with curl, as shown beneath.`);
  });
  if (!answer.ok) throw new Error(await wordsOf(answer));
  const { event_id: id } = (await answer.json()) as { event_id?: string };
  if (id === undefined) throw new Error('It was taken, but is not one event: only one can be followed');
  return id;
}

/** Asked until it is a row or a dead letter, or for half a minute. */
function Followed({ id }: { readonly id: string }) {
  const [story, setStory] = useState<EventStory | null>(null);
  const [error, setError] = useState('');
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const startedAtMs = performance.now();
    let timer: ReturnType<typeof setTimeout>;
    let isGone = false;
    async function look(): Promise<void> {
      try {
        const found = await ask<EventStory>(`/v1/console/events/${encodeURIComponent(id)}`);
        if (isGone) return;
        setStory(found);
        setError('');
        if (found.steps.some(({ step, done }) => done && (step === 'row' || step === 'dead_letter'))) {
          setOver(true);
          return;
        }
      } catch (failure) {
        if (isGone) return;
        setError(wordsFor(failure));
      }
      if (performance.now() - startedAtMs > askedMsMax) setOver(true);
      else timer = setTimeout(() => void look(), askedEveryMs);
    }
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [id]);
  return (
    <section class="panel followed" aria-label="Where it is">
      <h2>
        Where it is <span class="dim">{id}</span>
      </h2>
      {error !== '' && <Problem words={error} />}
      {story === null ? <p class="dim">Asking…</p> : <Steps story={story} isAwaited={!isOver} />}
      {story !== null && isOver && <Found story={story} />}
    </section>
  );
}
