// What a caller may be allowed to do: what routes need, and what keys and tokens grant.

export const scopes = ['events:write', 'events:read', 'content:read', 'content:write', 'admin'] as const;
export type Scope = (typeof scopes)[number];
