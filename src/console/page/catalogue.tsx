// The event types: what each is, its fields, and how one is sent.

import { useState } from 'preact/hooks';
import type { ConsoleType, ConsoleTypes } from '../answers.ts';
import { useAsked } from './ask.ts';
import { Grid, Shown, Text, View } from './parts.tsx';
import { type SnippetOptions, snippetsOf } from './snippets.ts';
import type { Viewed } from './viewed.ts';

export function Catalogue({ overview, rest }: Viewed) {
  const asked = useAsked<ConsoleTypes>('/v1/console/types');
  const [words, setWords] = useState('');
  return (
    <View title="Catalogue" about="What may be sent. A field that is not listed is refused.">
      <Shown asked={asked}>
        {({ types }) => {
          const found = types.filter(one =>
            `${one.type} ${one.description}`.toLowerCase().includes(words.toLowerCase()),
          );
          const type = types.find(one => one.type === rest) ?? found[0];
          return (
            <div class="two">
              <div class="choice">
                <label>
                  Find a type
                  <input type="search" value={words} onInput={event => setWords(event.currentTarget.value)} />
                </label>
                <nav aria-label="Event types">
                  <ul>
                    {found.map(one => (
                      <li key={one.type}>
                        <a
                          href={`#/catalogue/${encodeURIComponent(one.type)}`}
                          aria-current={one === type ? 'true' : undefined}
                        >
                          {one.type}
                        </a>
                      </li>
                    ))}
                  </ul>
                </nav>
                <p class="dim" role="status">
                  {found.length} of {types.length}
                </p>
              </div>
              {type === undefined ? (
                <p class="dim">No such type.</p>
              ) : (
                <One
                  key={type.type}
                  type={type}
                  options={{ eventsUrl: overview.events_url, isClosed: overview.auth !== 'none' }}
                />
              )}
            </div>
          );
        }}
      </Shown>
    </View>
  );
}

const One = ({ type, options }: { readonly type: ConsoleType; readonly options: SnippetOptions }) => (
  <section class="panel">
    <div class="head">
      <h2>{type.type}</h2>
      <a class="button" href={`#/send/${encodeURIComponent(type.type)}`}>
        Send one
      </a>
    </div>
    <p class="lines">{type.description}</p>
    <p class="dim">
      Table <code>{type.table}</code>, topic <code>{type.topic}</code>
    </p>
    <Grid
      caption={`Fields of ${type.type}`}
      columns={['Field', 'Kind', 'Must be', 'What it is']}
      rows={type.fields.map(field => [
        <code key="name">{field.name}</code>,
        field.kind,
        field.required ? 'yes' : '',
        field.description,
      ])}
    />
    <Snippets type={type} options={options} />
  </section>
);

export function Snippets({
  type,
  options,
}: {
  readonly type: Pick<ConsoleType, 'type' | 'example'>;
  readonly options: SnippetOptions;
}) {
  const [shown, show] = useState(0);
  const snippets = snippetsOf(type, options);
  const snippet = snippets[shown] ?? snippets[0]!;
  return (
    <>
      <fieldset class="tabs">
        <legend class="unseen">How it is sent</legend>
        {snippets.map(({ name }, at) => (
          <label key={name} class={at === shown ? 'on' : ''}>
            <input type="radio" name="snippet" class="unseen" checked={at === shown} onChange={() => show(at)} />
            {name}
          </label>
        ))}
      </fieldset>
      <Text text={snippet.text} name={`how it is sent with ${snippet.name}`} />
    </>
  );
}
