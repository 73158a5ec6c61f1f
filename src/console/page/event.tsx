// One event, opened: what was told of it as it passed, then its story. A modal dialog: Escape closes it, and the focus goes
// back to where it was.

import { useEffect, useRef } from 'preact/hooks';
import type { EventStory } from '../answers.ts';
import { useAsked } from './ask.ts';
import { stateOf } from './outcome.ts';
import { Shown, State, Text } from './parts.tsx';
import type { Row } from './passing.ts';
import { Found, Steps } from './story.tsx';
import { laidOut, moment } from './words.ts';

export interface EventProps {
  readonly row: Row;
  readonly onClose: () => void;
}

export function Event({ row, onClose }: EventProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="event-title" onClose={onClose}>
      <div class="head">
        <h2 id="event-title">{row.type}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <p>
        <State state={stateOf[row.outcome]} words={row.outcome} />{' '}
        <span class="dim">
          {moment(row.at)} UTC{row.id === null ? '' : `, ${row.id}`}
        </span>
      </p>
      {row.reason !== undefined && <p class="lines">{row.reason}</p>}
      {(row.errors ?? []).length > 0 && (
        <ul>
          {row.errors?.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path === '' ? 'the event' : path}</code>: {message}
            </li>
          ))}
        </ul>
      )}
      <section>
        <h3>{row.outcome === 'rejected' ? 'Its shape: what a sender wrote is not told' : 'As it passed'}</h3>
        <Text text={laidOut(row.text)} name="the event" />
      </section>
      {row.id !== null && row.outcome !== 'rejected' && <Story id={row.id} />}
    </dialog>
  );
}

function Story({ id }: { readonly id: string }) {
  const asked = useAsked<EventStory>(`/v1/console/events/${encodeURIComponent(id)}`);
  return (
    <section>
      <div class="head">
        <h3>Where it has been</h3>
        <button type="button" onClick={asked.again}>
          Look again
        </button>
      </div>
      <Shown asked={asked}>
        {story => (
          <>
            <Steps story={story} isAwaited={false} />
            <Found story={story} />
          </>
        )}
      </Shown>
    </section>
  );
}
