-- One row a user and film; vote 0: taken back, kept for its revision.
CREATE TABLE likes (
  film_id TEXT NOT NULL, user_id TEXT NOT NULL, vote INTEGER NOT NULL, revision INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (film_id, user_id)) WITHOUT ROWID;
CREATE INDEX likes_by_user ON likes (user_id, film_id);

CREATE TABLE bookmarks (
  user_id TEXT NOT NULL, film_id TEXT NOT NULL, is_set INTEGER NOT NULL, revision INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, film_id)) WITHOUT ROWID;
CREATE INDEX bookmarks_by_time ON bookmarks (user_id, at_ms, film_id) WHERE is_set = 1;

-- user_id '': its author was forgotten. event_id: of its last change.
CREATE TABLE reviews (
  id TEXT PRIMARY KEY, film_id TEXT NOT NULL, user_id TEXT NOT NULL, rating INTEGER NOT NULL, text TEXT NOT NULL,
  state TEXT NOT NULL, likes INTEGER NOT NULL DEFAULT 0, dislikes INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL, edited_at_ms INTEGER, event_id TEXT NOT NULL, is_deleted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX reviews_by_time ON reviews (film_id, created_at_ms, id) WHERE is_deleted = 0;
CREATE INDEX reviews_by_rating ON reviews (film_id, rating, id) WHERE is_deleted = 0;
CREATE INDEX reviews_by_use ON reviews (film_id, (likes - dislikes), id) WHERE is_deleted = 0;
CREATE INDEX reviews_by_user ON reviews (user_id, film_id, id);
CREATE INDEX reviews_of_user_by_time ON reviews (user_id, created_at_ms, id) WHERE is_deleted = 0;
CREATE INDEX reviews_by_state ON reviews (state, created_at_ms, id) WHERE is_deleted = 0;

CREATE TABLE review_likes (
  review_id TEXT NOT NULL, user_id TEXT NOT NULL, vote INTEGER NOT NULL, revision INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (review_id, user_id)) WITHOUT ROWID;
CREATE INDEX review_likes_by_user ON review_likes (user_id, review_id);

-- at_ms -1: taken from the history, kept for its revision and for when. saved_event_id: of the last place saved or removed.
CREATE TABLE viewings (
  user_id TEXT NOT NULL, film_id TEXT NOT NULL, at_ms INTEGER NOT NULL, event_id TEXT NOT NULL, position REAL,
  duration REAL, furthest REAL NOT NULL, first_at_ms INTEGER NOT NULL, watched_at_ms INTEGER,
  revision INTEGER NOT NULL DEFAULT 0, saved_event_id TEXT NOT NULL DEFAULT '', removed_at_ms INTEGER NOT NULL DEFAULT -1,
  PRIMARY KEY (user_id, film_id)) WITHOUT ROWID;
CREATE INDEX viewings_by_time ON viewings (user_id, at_ms, film_id);

CREATE TABLE films (
  film_id TEXT PRIMARY KEY, likes INTEGER NOT NULL DEFAULT 0, dislikes INTEGER NOT NULL DEFAULT 0,
  reviews INTEGER NOT NULL DEFAULT 0, rating_sum INTEGER NOT NULL DEFAULT 0, bookmarks INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE claims (
  user_id TEXT NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL, at_ms INTEGER NOT NULL, answer TEXT,
  PRIMARY KEY (user_id, key)) WITHOUT ROWID;
CREATE INDEX claims_by_time ON claims (at_ms);

-- AUTOINCREMENT: no number is given twice, not even after the last row has gone.
CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, type TEXT NOT NULL, user_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL, fields TEXT NOT NULL);
CREATE INDEX outbox_by_user ON outbox (user_id);
-- Who has the outbox: another token, and it is another.
CREATE TABLE leader (id INTEGER PRIMARY KEY CHECK (id = 1), token TEXT NOT NULL);
