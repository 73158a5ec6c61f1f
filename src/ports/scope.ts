// What a caller may be allowed to do: what routes need, and what keys and tokens grant.

export const scopes = [
  'events:write',
  'events:read',
  'content:read',
  'content:write',
  'content:moderate',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];

/** Who may do something to content may also do less to it. */
export const impliedBy: Readonly<Partial<Record<Scope, readonly Scope[]>>> = {
  'content:write': ['content:read'],
  'content:moderate': ['content:read', 'content:write'],
};
