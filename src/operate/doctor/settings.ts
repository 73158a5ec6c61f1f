// The group `settings`: each by itself and against the others, and the event types that are files.

import { catalogueFor, warningsFor } from '../../catalogue/type-folder.ts';
import { plainHopsOf } from '../../config/plain-hops.ts';
import { type Check, doubtful, type Group, type GroupOf, good, wrong } from './check.ts';

const page = 'docs/reference/settings.md';

export const settingsGroup: GroupOf = ({ config }) => ({
  name: 'settings',
  probes: [
    {
      id: 'settings.read',
      hint: 'see ugc help config',
      page,
      look: () => [
        good('settings.read', `they are understood, and fit each other; roles: ${config.role.join(', ')}`),
        ...plainHopsOf(config).map(words =>
          doubtful('settings.plain', {
            seen: words,
            follows: 'whoever is on the way can read it',
            hint: 'encrypt that way',
            page: 'docs/operate/tls.md',
          }),
        ),
      ],
    },
    {
      id: 'settings.types',
      follows: 'ugc does not start with them; a running one keeps the types it has',
      hint: 'repair the files that are named: ugc schema check',
      page: 'docs/operate/incidents/broken-schema.md',
      look: () => {
        const { types } = catalogueFor(config);
        return [
          good('settings.types', `${types.length} event types`),
          ...warningsFor(config, types).map(words =>
            doubtful('settings.types', {
              seen: words,
              follows: 'ugc takes it as it is written',
              hint: 'see ugc schema check',
              page: 'docs/use/schemas.md',
            }),
          ),
        ];
      },
    },
  ],
});

/** Settings that cannot be read: nothing else can be looked at. */
export const unreadableGroup = (problems: readonly string[]): Group => ({
  name: 'settings',
  probes: [
    {
      id: 'settings.read',
      hint: 'see ugc help config',
      page,
      look: (): readonly Check[] =>
        problems.map(seen =>
          wrong('settings.read', { seen, follows: 'no process starts with them', hint: 'see ugc help config', page }),
        ),
    },
  ],
});
