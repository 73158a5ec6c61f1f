// The commands that change something, or read out a person: those that have a line in the audit log (audit.ts).

export interface Change {
  /** Words of ECS: https://www.elastic.co/guide/en/ecs/8.10/ecs-category-field-values-reference.html */
  readonly category: 'configuration' | 'database' | 'iam';
  readonly type: 'access' | 'change' | 'creation' | 'deletion';
  /** With one of these flags of its own it changes nothing. */
  readonly unless?: readonly string[];
}

/** By what is typed: the command, and the word that follows it. */
export const changes: Readonly<Record<string, Change>> = {
  'keys add': { category: 'iam', type: 'creation' },
  'keys revoke': { category: 'iam', type: 'deletion' },
  'keys rotate': { category: 'iam', type: 'change' },
  'rules add': { category: 'configuration', type: 'creation' },
  'rules rm': { category: 'configuration', type: 'deletion' },
  'buffer requeue': { category: 'database', type: 'change', unless: ['dryRun'] },
  'buffer forget': { category: 'database', type: 'deletion' },
  'dead replay': { category: 'database', type: 'change', unless: ['dryRun'] },
  'dead dismiss': { category: 'database', type: 'change', unless: ['dryRun'] },
  'archive restore': { category: 'database', type: 'creation', unless: ['stdout'] },
  'archive compact': { category: 'database', type: 'change', unless: ['dryRun'] },
  import: { category: 'database', type: 'creation', unless: ['dryRun', 'showMapping'] },
  forget: { category: 'database', type: 'deletion', unless: ['dryRun'] },
  'export-person': { category: 'database', type: 'access' },
  'flows pause': { category: 'configuration', type: 'change' },
  'flows drain': { category: 'configuration', type: 'change' },
  'flows resume': { category: 'configuration', type: 'change' },
  'content rebuild': { category: 'database', type: 'change' },
};
