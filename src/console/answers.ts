// What the console's page is told, as JSON, by the routes under /v1/console/. The page is of the same build as the server: these
// shapes are no contract for others. Instants are ISO 8601, in UTC.

/** GET /v1/console/overview: what does not change while the page looks on, and how each part is. */
export interface Overview {
  readonly version: string;
  readonly commit: string;
  readonly roles: readonly string[];
  readonly up_seconds: number;
  /** `none`, `keys` or `jwt`. */
  readonly auth: string;
  /** Replay and dismiss are for who shows the scope `admin`: without authentication nobody may. */
  readonly may_act: boolean;
  /** Where events are posted, as this request came: the page's own origin, unless they go to another port. */
  readonly events_url: string;
  readonly flow: readonly FlowPart[];
  /** There has been no event yet. */
  readonly is_empty: boolean;
}

/** One place of the way of an event. */
export interface FlowPart {
  readonly id: 'in' | 'log' | 'buffer' | 'tables' | 'archive' | 'content';
  /** What people call it here: `Kafka (3 brokers)`, `disk buffer`, `embedded ClickHouse`. */
  readonly name: string;
  /** `absent`: this process has none; what is told of it would be of others. */
  readonly state: 'ok' | 'waiting' | 'failing' | 'absent';
  /** In words, what is wrong; '' while it is not. */
  readonly problem: string;
  /** Ids of the parts it hands events on to. */
  readonly to: readonly FlowPart['id'][];
}

/** GET /v1/console/types */
export interface ConsoleTypes {
  readonly types: readonly ConsoleType[];
}

export interface ConsoleType {
  readonly type: string;
  readonly description: string;
  readonly table: string;
  readonly topic: string;
  readonly fields: readonly {
    readonly name: string;
    readonly kind: string;
    readonly required: boolean;
    readonly description: string;
  }[];
  /** One that is accepted as it stands, its timestamp of just now. */
  readonly example: Readonly<Record<string, unknown>>;
}

/** GET /v1/console/events/:event_id: what `ugc trace --json` tells of it, from what this process can ask. */
export interface EventStory {
  readonly event_id: string;
  /** Where it has been, in order. */
  readonly steps: readonly {
    readonly step: 'accepted' | 'log' | 'buffer' | 'row' | 'dead_letter';
    readonly done: boolean;
    readonly at: string | null;
    readonly words: string;
  }[];
  readonly row: Readonly<Record<string, unknown>> | null;
  readonly table: string | null;
  /** Physical copies; readers see one. */
  readonly copies: number;
  /** Of the record in the log, or in its dead letter, as text; null = not known here. */
  readonly bytes: string | null;
  /** Place → why it could not be asked. */
  readonly unasked: Readonly<Record<string, string>>;
}

/** GET /v1/console/rejections?hours=24 (1–720): most frequent first, at most 200. */
export interface ConsoleRejections {
  readonly groups: readonly {
    /** '' = of no type of the catalogue. */
    readonly type: string;
    readonly reason: string;
    /** JSON pointer of the field, '' = the event as a whole. */
    readonly field: string;
    readonly source: string;
    readonly count: number;
    readonly first_at: string;
    readonly last_at: string;
    /** The shape of one, as JSON text, without what its sender wrote; '' = not kept. */
    readonly example: string;
    /** What its sender should do, in a sentence. */
    readonly mend: string;
  }[];
}

/** GET /v1/console/dead?limit=100 (1–1000)&reason=&topic= */
export interface ConsoleDead {
  readonly reasons: readonly { readonly reason: string; readonly topic: string; readonly count: number }[];
  readonly letters: readonly {
    /** As `ugc dead` names it: topic/partition/position. */
    readonly place: string;
    readonly topic: string;
    readonly reason: string;
    readonly error: string;
    readonly at: string;
    /** What lay in the log, as text, at most 64 KiB, less where more than 256 letters are asked for. */
    readonly bytes: string;
  }[];
}

/** POST /v1/console/dead/replay and /v1/console/dead/dismiss */
export interface DeadAction {
  readonly places: readonly string[];
  /** To be remembered; dismiss only. */
  readonly why?: string;
}

export interface DeadActed {
  readonly done: number;
  /** Place → why it stays. */
  readonly left: Readonly<Record<string, string>>;
}

/** POST /v1/console/query {"sql": "…"}: read only, at most 10 000 rows and ten seconds. */
export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly elapsed_ms: number;
  /** There were more rows. */
  readonly cut: boolean;
}

/**
 * GET /v1/console/aggregates?days=30 (1–366): a row as its table has it, oldest first; integers of 64 bits are text. Of more than
 * 20 000 rows the youngest.
 */
export interface ConsoleAggregates {
  readonly events_per_minute: readonly Readonly<Record<string, unknown>>[];
  readonly film_views_daily: readonly Readonly<Record<string, unknown>>[];
  readonly active_users_daily: readonly Readonly<Record<string, unknown>>[];
  readonly quality_changes_daily: readonly Readonly<Record<string, unknown>>[];
}
