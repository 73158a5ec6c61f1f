-- Names are compared byte by byte (COLLATE "C"), as the pages are cut by them.
CREATE TABLE content_likes (
  film_id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL, vote smallint NOT NULL,
  was smallint NOT NULL, revision bigint NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY (film_id, user_id))
  WITH (fillfactor = 85);
CREATE INDEX content_likes_by_user ON content_likes (user_id, film_id);

CREATE TABLE content_bookmarks (
  user_id text COLLATE "C" NOT NULL, film_id text COLLATE "C" NOT NULL, is_set boolean NOT NULL,
  revision bigint NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY (user_id, film_id));
CREATE INDEX content_bookmarks_by_time ON content_bookmarks (user_id, at_ms, film_id) WHERE is_set;

-- user_id '': its author was forgotten. event_id: of its last change.
CREATE TABLE content_reviews (
  id text COLLATE "C" PRIMARY KEY, film_id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL,
  rating integer NOT NULL, text text NOT NULL, state text NOT NULL, likes integer NOT NULL DEFAULT 0,
  dislikes integer NOT NULL DEFAULT 0, revision bigint NOT NULL, created_at_ms bigint NOT NULL, edited_at_ms bigint,
  event_id text NOT NULL, is_deleted boolean NOT NULL DEFAULT false);
CREATE INDEX content_reviews_by_time ON content_reviews (film_id, created_at_ms, id) WHERE NOT is_deleted;
CREATE INDEX content_reviews_by_rating ON content_reviews (film_id, rating, id) WHERE NOT is_deleted;
CREATE INDEX content_reviews_by_use ON content_reviews (film_id, (likes - dislikes), id) WHERE NOT is_deleted;
CREATE INDEX content_reviews_by_user ON content_reviews (user_id, film_id, id);
CREATE INDEX content_reviews_of_user_by_time ON content_reviews (user_id, created_at_ms, id) WHERE NOT is_deleted;
CREATE INDEX content_reviews_by_state ON content_reviews (state, created_at_ms, id) WHERE NOT is_deleted;

CREATE TABLE content_review_likes (
  review_id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL, vote smallint NOT NULL,
  was smallint NOT NULL, revision bigint NOT NULL, at_ms bigint NOT NULL, PRIMARY KEY (review_id, user_id));
CREATE INDEX content_review_likes_by_user ON content_review_likes (user_id, review_id);

-- at_ms -1: taken from the history, kept for its revision and for when. saved_event_id: of the last place saved or removed.
CREATE TABLE content_viewings (
  user_id text COLLATE "C" NOT NULL, film_id text COLLATE "C" NOT NULL, at_ms bigint NOT NULL,
  event_id text COLLATE "C" NOT NULL, position double precision, duration double precision,
  furthest double precision NOT NULL, first_at_ms bigint NOT NULL, watched_at_ms bigint,
  revision bigint NOT NULL DEFAULT 0, saved_event_id text NOT NULL DEFAULT '', removed_at_ms bigint NOT NULL DEFAULT -1,
  PRIMARY KEY (user_id, film_id));
CREATE INDEX content_viewings_by_time ON content_viewings (user_id, at_ms, film_id);

-- The counts of a film are its row here and the deltas that are not in it yet. Changes write deltas alone, so that those of
-- one film do not wait for each other; the leader folds them.
CREATE TABLE content_films (
  film_id text COLLATE "C" PRIMARY KEY, likes bigint NOT NULL, dislikes bigint NOT NULL, reviews bigint NOT NULL,
  rating_sum bigint NOT NULL, bookmarks bigint NOT NULL);
CREATE TABLE content_deltas (
  film_id text COLLATE "C" NOT NULL, likes integer NOT NULL DEFAULT 0, dislikes integer NOT NULL DEFAULT 0,
  reviews integer NOT NULL DEFAULT 0, rating_sum integer NOT NULL DEFAULT 0, bookmarks integer NOT NULL DEFAULT 0)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX content_deltas_by_film ON content_deltas (film_id);

CREATE TABLE content_claims (
  user_id text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, hash text NOT NULL, at_ms bigint NOT NULL,
  answer text, PRIMARY KEY (user_id, key));
CREATE INDEX content_claims_by_time ON content_claims (at_ms);

CREATE TABLE content_outbox (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL, type text NOT NULL,
  user_id text COLLATE "C" NOT NULL, at_ms bigint NOT NULL, fields json NOT NULL)
  WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX content_outbox_by_user ON content_outbox (user_id);
-- Who has the outbox: another token, and it is another.
CREATE TABLE content_leader (id integer PRIMARY KEY CHECK (id = 1), token text NOT NULL);
