// The group `instance`: whether one answers, whether an event could be stored, and what it says does not work.

import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';
import { adminUrlOf, type Instance } from './instance.ts';

/** Parts that have a group of their own say it there. */
const toldElsewhere = /^aggregate |^buffer$|^archive|^content|^tls$|^jwt$|^clock$/;

/** What an operator has wished, or what keeps wishes from being heard: nothing is broken. */
const isSteered = (part: string): boolean => /^flow |^flows$/.test(part);

const pages: Readonly<Record<string, string>> = {
  kafka: 'docs/operate/incidents/kafka-down.md',
  clickhouse: 'docs/operate/incidents/clickhouse-down.md',
  schemas: 'docs/operate/incidents/broken-schema.md',
  keys: 'docs/operate/keys.md',
  rules: 'docs/operate/rules.md',
  geoip: 'docs/operate/clients.md',
};

export const instanceGroup: GroupOf = ({ config, isBeforeStart, instance }) =>
  isBeforeStart
    ? null
    : {
        name: 'instance',
        probes: [
          {
            id: 'instance.answers',
            hint: 'look at its log',
            look: async () => checksOf(await instance, adminUrlOf(config)),
          },
        ],
      };

function checksOf(instance: Instance | null, url: string): readonly Check[] {
  if (instance === null)
    return [
      doubtful('instance.answers', {
        seen: `no ugc answers at ${url}`,
        follows: 'what only a running instance knows is not looked at',
        hint: 'start it, or give doctor the settings it has (UGC_HOST, UGC_PORT, UGC_ADMIN_PORT)',
        page: 'docs/operate/deploy.md',
      }),
    ];
  const { isReady, troubles, now } = instance;
  const readiness = isReady
    ? good('instance.ready', `${instance.url} is ready: an event could be stored now`)
    : wrong('instance.ready', {
        seen: `${instance.url} is not ready`,
        follows: 'events are answered 503, and clients have to send them again',
        hint: 'repair what is named below; it goes on by itself',
        page: 'docs/operate/deploy.md',
      });
  // The group etl tells of those.
  const halted = new Set(
    (now.get('ugc_etl_halted') ?? []).filter(({ value }) => value > 0).map(({ labels }) => labels.table),
  );
  const all = Object.entries(troubles).filter(([part]) => !toldElsewhere.test(part) && !halted.has(part));
  const [steered, told] = [all.filter(([part]) => isSteered(part)), all.filter(([part]) => !isSteered(part))];
  return [
    readiness,
    ...steered.map(([part, words]) =>
      doubtful(`instance.${part.replace(' ', '_')}`, {
        seen: `${part}: ${words}`,
        follows: 'what comes waits where it lies; nothing is lost before the log deletes it',
        hint: 'ugc flows says who wished it and why; let it go on once that is over',
        page: 'docs/operate/flows.md',
      }),
    ),
    ...told.map(([part, words]) =>
      wrong(`instance.${part}`, {
        seen: `${part}: ${words}`,
        follows: isReady
          ? 'events are taken all the same, and what needs that part waits'
          : 'events may be answered 503',
        hint: `see what this says of ${part} in its own group, or look at the instance's log`,
        page: pages[part] ?? 'docs/operate/deploy.md',
      }),
    ),
  ];
}
