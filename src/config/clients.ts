// Settings: what of clients is stored, what is derived from their headers and addresses, and whose events are not wanted.

import { choice, flag, networks, text, type Values } from './kinds.ts';

export const clientsSettings = {
  ip: choice({
    of: ['keep', 'truncate', 'drop'],
    default: 'keep',
    help: 'Clients’ addresses, in events and in the log: whole, without their end (IPv4 /24, IPv6 /48), or not at all',
  }),
  userAgentParse: flag({
    default: false,
    help: 'Events that do not say their device get it from the User-Agent; browser and system go to properties.edge',
  }),
  geoipPath: text({
    default: '',
    takes: 'a file',
    help: 'Events that do not say their country get it from their address, by this MaxMind file (.mmdb); empty = they do not. A change counts within a second',
  }),
  bots: choice({
    of: ['keep', 'mark', 'drop'],
    default: 'keep',
    help: 'Events of bots, by the User-Agent: as any other, with properties.edge.bot, or not stored',
  }),
  privacySignals: choice({
    of: ['ignore', 'mark', 'drop-identity', 'drop'],
    default: 'ignore',
    help: 'Events sent with Sec-GPC or DNT: as any other, with properties.edge.privacy, with it and without who it was, or not stored',
  }),
  ownTraffic: choice({
    of: ['mark', 'drop'],
    default: 'mark',
    help: 'Events of your own people: with properties.edge.own, or not stored',
  }),
  ownNetworks: networks({ help: 'Your own people come from these' }),
  ownCookie: text({
    default: '',
    takes: 'name or name=value',
    pattern: /^$|^[\w!#$%&'*+.^`|~-]+(=[^\s;,"\\]*)?$/,
    help: 'Your own people have this cookie; empty = none',
  }),
  ownHeader: text({
    default: '',
    takes: 'name or name=value',
    pattern: /^$|^[\w!#$%&'*+.^`|~-]+(=[ -~]*)?$/,
    help: 'Your own people send this header; empty = none',
  }),
};

/** In words, each. */
export function clientsProblems(config: Values<typeof clientsSettings>): string[] {
  const { ownTraffic, ownNetworks, ownCookie, ownHeader } = config;
  const problems: string[] = [];
  const knowsOwn = ownNetworks !== null || ownCookie !== '' || ownHeader !== '';
  if (ownTraffic === 'drop' && !knowsOwn)
    problems.push('UGC_OWN_TRAFFIC=drop needs UGC_OWN_NETWORKS, UGC_OWN_COOKIE or UGC_OWN_HEADER to know it by');
  return problems;
}
