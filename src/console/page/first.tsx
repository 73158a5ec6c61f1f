// What is shown while there has been no event yet: how the first one is sent.

import type { ConsoleTypes } from '../answers.ts';
import { useAsked } from './ask.ts';
import { Snippets } from './catalogue.tsx';
import { Shown, State, View } from './parts.tsx';
import type { Viewed } from './viewed.ts';

const shownFirst = 'film_opened';

export function First({ overview }: Viewed) {
  const asked = useAsked<ConsoleTypes>('/v1/console/types');
  return (
    <View
      title="Your first event"
      about="This server takes events and gets each that it accepts into ClickHouse as exactly one row. It has seen none yet."
    >
      <section class="panel">
        <p>
          <a class="button main" href="#/send">
            Send a test event
          </a>{' '}
          from here and see where it goes, or from where your events are:
        </p>
        <Shown asked={asked}>
          {({ types }) => {
            const type = types.find(one => one.type === shownFirst) ?? types[0];
            return type === undefined ? (
              <p>The catalogue is empty.</p>
            ) : (
              <Snippets type={type} options={{ eventsUrl: overview.events_url, isClosed: overview.auth !== 'none' }} />
            );
          }}
        </Shown>
        <p role="status">
          <State state="waiting" words="Waiting for it. The flow is shown here as soon as it has come." />
        </p>
        <p>
          Other types are in the <a href="#/catalogue">catalogue</a>; the whole API is at{' '}
          <a href="/apidocs">/apidocs</a>.
        </p>
      </section>
    </View>
  );
}
