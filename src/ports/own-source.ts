// Names of sources that no caller may have: what ugc itself writes into the log is told by them.

/** What events of the content store call their source. */
export const contentSource = 'ugc:content';

export const isOwnSource = (name: string): boolean => name.toLowerCase().startsWith('ugc:');
