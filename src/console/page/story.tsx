// Where one event has been: each place ticked once it was there, the row that readers see, and its bytes.

import type { EventStory } from '../answers.ts';
import { Grid, State, Text } from './parts.tsx';
import { cell, moment } from './words.ts';

const names: Readonly<Record<EventStory['steps'][number]['step'], string>> = {
  accepted: 'Accepted',
  log: 'In the log',
  buffer: 'On disk',
  row: 'A row',
  dead_letter: 'Dead letter',
};

export const Steps = ({ story, isAwaited }: { readonly story: EventStory; readonly isAwaited: boolean }) => (
  <ol class="steps" aria-live="polite">
    {story.steps.map(({ step, done, at, words }) => (
      <li key={step} class={done ? 'done' : ''}>
        <State
          state={!done ? (isAwaited ? 'waiting' : 'absent') : step === 'dead_letter' ? 'failing' : 'ok'}
          words={names[step]}
        />
        <span class="lines">{words}</span>
        {at !== null && <time dateTime={at}>{moment(at)}</time>}
      </li>
    ))}
  </ol>
);

export const Found = ({ story }: { readonly story: EventStory }) => (
  <>
    {story.row !== null && (
      <section>
        <h3>
          The row in {story.table}
          {story.copies > 1 ? `, ${story.copies} copies of which readers see one` : ''}
        </h3>
        <Grid
          caption="The row"
          columns={['Column', 'Value']}
          rows={Object.entries(story.row).map(([name, value]) => [name, cell(value)])}
        />
      </section>
    )}
    {story.bytes !== null && (
      <section>
        <h3>Its bytes</h3>
        <Text text={story.bytes} name="the bytes" />
      </section>
    )}
    {Object.entries(story.unasked).map(([place, why]) => (
      <p key={place} class="dim lines">
        {place} could not be asked: {why}
      </p>
    ))}
  </>
);
