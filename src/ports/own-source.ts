// Names of sources that no caller may have: what ugc itself writes into the log is told by them.

/** What events of the content store call their source. */
export const contentSource = 'ugc:content';

/** What events of another system call theirs, brought in by `ugc import`; its name follows. */
export const importSource = (name: string): string => `ugc:import:${name}`;

export const isOwnSource = (name: string): boolean => name.toLowerCase().startsWith('ugc:');
