-- A change is one function, so one round trip and one transaction: the row is locked first, and only then its event gets
-- its number, so that the events of one row are numbered in the order of their revisions. A function looks anew with each
-- of its statements (READ COMMITTED): what it waited for, it sees.

CREATE FUNCTION content_vote(p_film text, p_vote integer, p_user text, p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE r content_likes;
BEGIN
  IF p_vote = 0 THEN
    UPDATE content_likes SET was = vote, vote = 0, revision = revision + 1, at_ms = p_at
      WHERE film_id = p_film AND user_id = p_user AND vote <> 0 RETURNING * INTO r;
  ELSE
    INSERT INTO content_likes AS l VALUES (p_film, p_user, p_vote, 0, 1, p_at)
      ON CONFLICT (film_id, user_id) DO UPDATE
      SET was = l.vote, vote = excluded.vote, revision = l.revision + 1, at_ms = excluded.at_ms
      WHERE l.vote <> excluded.vote RETURNING * INTO r;
  END IF;
  IF NOT FOUND THEN
    SELECT * INTO r FROM content_likes WHERE film_id = p_film AND user_id = p_user;
    RETURN json_build_object('vote', p_vote, 'revision', coalesce(r.revision, 0));
  END IF;
  INSERT INTO content_deltas (film_id, likes, dislikes) VALUES (p_film,
    (p_vote = 1)::integer - (r.was = 1)::integer, (p_vote = -1)::integer - (r.was = -1)::integer);
  INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event,
    CASE WHEN p_vote = 0 THEN 'film_unliked' ELSE 'film_liked' END, p_user, p_at,
    CASE WHEN p_vote = 0 THEN json_build_object('film_id', p_film, 'revision', r.revision)
      ELSE json_build_object('film_id', p_film, 'value', p_vote, 'revision', r.revision) END);
  RETURN json_build_object('vote', p_vote, 'revision', r.revision);
END $$;

CREATE FUNCTION content_bookmark(p_film text, p_set boolean, p_user text, p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE r content_bookmarks;
BEGIN
  IF p_set THEN
    INSERT INTO content_bookmarks AS b VALUES (p_user, p_film, true, 1, p_at)
      ON CONFLICT (user_id, film_id) DO UPDATE SET is_set = true, revision = b.revision + 1, at_ms = excluded.at_ms
      WHERE NOT b.is_set RETURNING * INTO r;
  ELSE
    UPDATE content_bookmarks SET is_set = false, revision = revision + 1, at_ms = p_at
      WHERE film_id = p_film AND user_id = p_user AND is_set RETURNING * INTO r;
  END IF;
  IF NOT FOUND THEN
    SELECT * INTO r FROM content_bookmarks WHERE film_id = p_film AND user_id = p_user;
    RETURN json_build_object('revision', coalesce(r.revision, 0));
  END IF;
  INSERT INTO content_deltas (film_id, bookmarks) VALUES (p_film, CASE WHEN p_set THEN 1 ELSE -1 END);
  INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event,
    CASE WHEN p_set THEN 'bookmark_added' ELSE 'bookmark_removed' END, p_user, p_at,
    json_build_object('film_id', p_film, 'revision', r.revision));
  RETURN json_build_object('revision', r.revision);
END $$;

CREATE FUNCTION content_review_json(r content_reviews) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('id', r.id, 'filmId', r.film_id, 'userId', nullif(r.user_id, ''), 'rating', r.rating,
    'text', r.text, 'state', r.state, 'likes', r.likes, 'dislikes', r.dislikes, 'revision', r.revision,
    'createdAtMs', r.created_at_ms, 'editedAtMs', r.edited_at_ms)
$$;

CREATE FUNCTION content_done(r content_reviews) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('outcome', 'done', 'review', content_review_json(r))
$$;

CREATE FUNCTION content_post_review(p_id text, p_film text, p_rating integer, p_text text, p_state text, p_user text,
  p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE r content_reviews;
BEGIN
  INSERT INTO content_reviews (id, film_id, user_id, rating, text, state, revision, created_at_ms, event_id)
    VALUES (p_id, p_film, p_user, p_rating, p_text, p_state, 1, p_at, p_event)
    ON CONFLICT (id) DO NOTHING RETURNING * INTO r;
  IF NOT FOUND THEN
    SELECT * INTO r FROM content_reviews WHERE id = p_id;
    IF r.user_id <> p_user THEN RETURN json_build_object('outcome', 'not_own'); END IF;
    RETURN content_done(r);
  END IF;
  IF p_state = 'approved' THEN
    INSERT INTO content_deltas (film_id, reviews, rating_sum) VALUES (p_film, 1, p_rating);
  END IF;
  INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event, 'review_posted', p_user, p_at,
    json_build_object('review_id', p_id, 'film_id', p_film, 'rating', p_rating, 'text', p_text, 'revision', 1));
  RETURN content_done(r);
END $$;

-- p_type: review_edited, review_deleted or review_moderated. Null: as it was, or of whichever revision.
CREATE FUNCTION content_change_review(p_type text, p_id text, p_rating integer, p_text text, p_state text,
  p_revision bigint, p_user text, p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  old content_reviews;
  r content_reviews;
  was boolean;
  is_shown boolean;
BEGIN
  SELECT * INTO old FROM content_reviews WHERE id = p_id FOR UPDATE;
  IF old.is_deleted AND p_type = 'review_deleted' AND old.event_id = p_event THEN RETURN content_done(old); END IF;
  IF NOT FOUND OR old.is_deleted THEN RETURN json_build_object('outcome', 'missing'); END IF;
  IF p_type <> 'review_deleted' AND old.event_id = p_event THEN RETURN content_done(old); END IF;
  IF p_type <> 'review_moderated' AND old.user_id <> p_user THEN RETURN json_build_object('outcome', 'not_own'); END IF;
  IF p_revision <> old.revision THEN
    RETURN json_build_object('outcome', 'stale', 'review', content_review_json(old));
  END IF;
  r := old;
  r.rating := coalesce(p_rating, old.rating);
  r.text := CASE WHEN p_type = 'review_deleted' THEN '' ELSE coalesce(p_text, old.text) END;
  r.state := coalesce(p_state, old.state);
  IF p_type <> 'review_deleted' AND r.rating = old.rating AND r.text = old.text AND r.state = old.state THEN
    RETURN content_done(old);
  END IF;
  r.revision := old.revision + 1;
  r.event_id := p_event;
  r.is_deleted := p_type = 'review_deleted';
  IF p_type = 'review_edited' THEN r.edited_at_ms := p_at; END IF;
  UPDATE content_reviews SET rating = r.rating, text = r.text, state = r.state, revision = r.revision,
    edited_at_ms = r.edited_at_ms, event_id = r.event_id, is_deleted = r.is_deleted WHERE id = p_id;
  was := old.state = 'approved';
  is_shown := r.state = 'approved' AND NOT r.is_deleted;
  IF was OR is_shown THEN
    INSERT INTO content_deltas (film_id, reviews, rating_sum) VALUES (r.film_id, is_shown::integer - was::integer,
      CASE WHEN is_shown THEN r.rating ELSE 0 END - CASE WHEN was THEN old.rating ELSE 0 END);
  END IF;
  INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event, p_type, p_user, p_at,
    CASE p_type
      WHEN 'review_deleted' THEN json_build_object('review_id', r.id, 'film_id', r.film_id, 'revision', r.revision)
      WHEN 'review_moderated' THEN json_build_object('review_id', r.id, 'film_id', r.film_id, 'state', r.state,
        'revision', r.revision)
      ELSE json_build_object('review_id', r.id, 'film_id', r.film_id, 'rating', r.rating, 'text', r.text,
        'revision', r.revision) END);
  RETURN content_done(r);
END $$;

-- The review is locked before the vote: everything that needs both does so.
CREATE FUNCTION content_vote_review(p_id text, p_vote integer, p_user text, p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  r content_reviews;
  v content_review_likes;
BEGIN
  SELECT * INTO r FROM content_reviews WHERE id = p_id FOR UPDATE;
  IF NOT FOUND OR r.is_deleted THEN RETURN json_build_object('outcome', 'missing'); END IF;
  IF r.user_id = p_user THEN RETURN json_build_object('outcome', 'not_own'); END IF;
  IF p_vote = 0 THEN
    UPDATE content_review_likes SET was = vote, vote = 0, revision = revision + 1, at_ms = p_at
      WHERE review_id = p_id AND user_id = p_user AND vote <> 0 RETURNING * INTO v;
  ELSE
    INSERT INTO content_review_likes AS l VALUES (p_id, p_user, p_vote, 0, 1, p_at)
      ON CONFLICT (review_id, user_id) DO UPDATE
      SET was = l.vote, vote = excluded.vote, revision = l.revision + 1, at_ms = excluded.at_ms
      WHERE l.vote <> excluded.vote RETURNING * INTO v;
  END IF;
  IF NOT FOUND THEN RETURN content_done(r); END IF;
  UPDATE content_reviews SET likes = likes + (p_vote = 1)::integer - (v.was = 1)::integer,
    dislikes = dislikes + (p_vote = -1)::integer - (v.was = -1)::integer WHERE id = p_id RETURNING * INTO r;
  INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event,
    CASE WHEN p_vote = 0 THEN 'review_unliked' ELSE 'review_liked' END, p_user, p_at,
    CASE WHEN p_vote = 0 THEN json_build_object('review_id', p_id, 'film_id', r.film_id, 'revision', v.revision)
      ELSE json_build_object('review_id', p_id, 'film_id', r.film_id, 'revision', v.revision, 'value', p_vote) END);
  RETURN content_done(r);
END $$;

CREATE FUNCTION content_place_json(v content_viewings) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('filmId', v.film_id, 'position', coalesce(v.position, 0), 'duration', coalesce(v.duration, 0),
    'atMs', v.at_ms, 'revision', v.revision, 'furthest', v.furthest, 'firstAtMs', v.first_at_ms,
    'watchedAtMs', v.watched_at_ms)
$$;

-- p_is_save: a place that is saved, which counts as a change of it; else what a projection found, seen after it was removed.
CREATE FUNCTION content_merge_viewing(p content_viewings, p_is_save boolean) RETURNS content_viewings
LANGUAGE plpgsql AS $$
DECLARE r content_viewings;
BEGIN
  INSERT INTO content_viewings AS v SELECT (p).*
    ON CONFLICT (user_id, film_id) DO UPDATE SET
      position = CASE WHEN (excluded.at_ms, excluded.event_id) > (v.at_ms, v.event_id)
        THEN coalesce(excluded.position, v.position) ELSE coalesce(v.position, excluded.position) END,
      duration = CASE WHEN (excluded.at_ms, excluded.event_id) > (v.at_ms, v.event_id)
        THEN coalesce(excluded.duration, v.duration) ELSE coalesce(v.duration, excluded.duration) END,
      event_id = CASE WHEN (excluded.at_ms, excluded.event_id) > (v.at_ms, v.event_id)
        THEN excluded.event_id ELSE v.event_id END,
      at_ms = greatest(v.at_ms, excluded.at_ms),
      furthest = greatest(v.furthest, excluded.furthest),
      first_at_ms = least(v.first_at_ms, excluded.first_at_ms),
      watched_at_ms = least(v.watched_at_ms, excluded.watched_at_ms),
      revision = v.revision + p_is_save::integer,
      saved_event_id = CASE WHEN p_is_save THEN excluded.saved_event_id ELSE v.saved_event_id END
    WHERE CASE WHEN p_is_save THEN v.saved_event_id <> excluded.saved_event_id ELSE excluded.at_ms > v.removed_at_ms END
    RETURNING * INTO r;
  RETURN r;
END $$;

CREATE FUNCTION content_save_place(p_film text, p_position double precision, p_duration double precision,
  p_watched_share double precision, p_user text, p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  share double precision := CASE WHEN p_duration > 0 THEN least(1, p_position / p_duration) ELSE 0 END;
  p content_viewings := ROW(p_user, p_film, p_at, p_event, p_position, p_duration, share, p_at,
    CASE WHEN share >= p_watched_share THEN p_at END, 1, p_event, -1);
  r content_viewings := content_merge_viewing(p, true);
BEGIN
  IF r.user_id IS NULL THEN
    SELECT * INTO r FROM content_viewings WHERE user_id = p_user AND film_id = p_film;
    IF r.at_ms < 0 THEN
      p.revision := r.revision;
      RETURN content_place_json(p);
    END IF;
    RETURN content_place_json(r);
  END IF;
  INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event, 'progress_saved', p_user, p_at,
    json_build_object('film_id', p_film, 'position', p_position, 'duration', p_duration, 'revision', r.revision));
  RETURN content_place_json(r);
END $$;

-- As it would be if nothing had been seen: whatever is merged into it is all there is.
CREATE FUNCTION content_remove_place(p_film text, p_user text, p_at bigint, p_event text) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE r content_viewings;
BEGIN
  INSERT INTO content_viewings (user_id, film_id, at_ms, event_id, furthest, first_at_ms, removed_at_ms)
    VALUES (p_user, p_film, -1, '', 0, 9007199254740991, p_at) ON CONFLICT DO NOTHING;
  SELECT * INTO r FROM content_viewings WHERE user_id = p_user AND film_id = p_film FOR UPDATE;
  IF r.saved_event_id = p_event THEN RETURN NULL; END IF;
  UPDATE content_viewings SET at_ms = -1, event_id = '', position = NULL, duration = NULL, furthest = 0,
    first_at_ms = 9007199254740991, watched_at_ms = NULL, removed_at_ms = greatest(removed_at_ms, at_ms, p_at),
    revision = revision + (at_ms >= 0)::integer,
    saved_event_id = CASE WHEN at_ms >= 0 THEN p_event ELSE saved_event_id END
    WHERE user_id = p_user AND film_id = p_film;
  IF r.at_ms >= 0 THEN
    INSERT INTO content_outbox (event_id, type, user_id, at_ms, fields) VALUES (p_event, 'progress_removed', p_user,
      p_at, json_build_object('film_id', p_film, 'revision', r.revision + 1));
  END IF;
  RETURN NULL;
END $$;

-- In the order they are given, by user and film: two of these lock rows in one order.
CREATE FUNCTION content_merge_viewings(p_viewings json) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  v json;
BEGIN
  FOR v IN SELECT value FROM json_array_elements(p_viewings) LOOP
    PERFORM content_merge_viewing(ROW(v->>'userId', v->>'filmId', v->>'atMs', v->>'eventId', v->>'position',
      v->>'duration', v->>'furthest', v->>'firstAtMs', v->>'watchedAtMs', 0, '', -1)::content_viewings, false);
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION content_claim(p_user text, p_key text, p_hash text, p_at bigint) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE r content_claims;
BEGIN
  INSERT INTO content_claims AS c VALUES (p_user, p_key, p_hash, p_at, NULL)
    ON CONFLICT (user_id, key) DO UPDATE SET hash = excluded.hash, at_ms = excluded.at_ms, answer = NULL
    WHERE c.at_ms < excluded.at_ms - 86400000 RETURNING * INTO r;
  IF FOUND THEN
    -- More than one goes for each that comes: the table does not grow.
    DELETE FROM content_claims WHERE (user_id, key) IN (SELECT user_id, key FROM content_claims
      WHERE at_ms < p_at - 86400000 ORDER BY at_ms LIMIT 4 FOR UPDATE SKIP LOCKED);
    RETURN json_build_object('outcome', 'first');
  END IF;
  SELECT * INTO r FROM content_claims WHERE user_id = p_user AND key = p_key;
  IF r.hash <> p_hash THEN RETURN json_build_object('outcome', 'other'); END IF;
  IF r.answer IS NULL THEN RETURN json_build_object('outcome', 'again'); END IF;
  RETURN json_build_object('outcome', 'answered', 'answer', r.answer);
END $$;

CREATE FUNCTION content_forget(p_user text, p_keep_reviews boolean) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
  n_likes bigint; n_reviews bigint; n_review_likes bigint; n_bookmarks bigint; n_viewings bigint; n_events bigint;
BEGIN
  PERFORM 1 FROM content_reviews WHERE user_id = p_user
    OR id IN (SELECT review_id FROM content_review_likes WHERE user_id = p_user) ORDER BY id FOR UPDATE;
  PERFORM 1 FROM content_viewings WHERE user_id = p_user ORDER BY film_id FOR UPDATE;
  WITH gone AS (DELETE FROM content_likes WHERE user_id = p_user RETURNING film_id, vote),
    counted AS (INSERT INTO content_deltas (film_id, likes, dislikes)
      SELECT film_id, -(vote = 1)::integer, -(vote = -1)::integer FROM gone WHERE vote <> 0)
    SELECT count(*) INTO n_likes FROM gone WHERE vote <> 0;
  WITH gone AS (DELETE FROM content_bookmarks WHERE user_id = p_user RETURNING film_id, is_set),
    counted AS (INSERT INTO content_deltas (film_id, bookmarks) SELECT film_id, -1 FROM gone WHERE is_set)
    SELECT count(*) INTO n_bookmarks FROM gone WHERE is_set;
  WITH gone AS (DELETE FROM content_viewings WHERE user_id = p_user RETURNING at_ms)
    SELECT count(*) INTO n_viewings FROM gone WHERE at_ms >= 0;
  WITH gone AS (DELETE FROM content_review_likes WHERE user_id = p_user RETURNING review_id, vote),
    counted AS (UPDATE content_reviews r SET likes = likes - (gone.vote = 1)::integer,
      dislikes = dislikes - (gone.vote = -1)::integer FROM gone WHERE r.id = gone.review_id)
    SELECT count(*) INTO n_review_likes FROM gone JOIN content_reviews r ON r.id = gone.review_id
      WHERE gone.vote <> 0 AND NOT r.is_deleted;
  SELECT count(*) INTO n_reviews FROM content_reviews WHERE user_id = p_user AND NOT is_deleted;
  IF p_keep_reviews THEN
    UPDATE content_reviews SET user_id = '' WHERE user_id = p_user AND NOT is_deleted;
  END IF;
  WITH gone AS (DELETE FROM content_reviews WHERE user_id = p_user RETURNING *),
    votes AS (DELETE FROM content_review_likes WHERE review_id IN (SELECT id FROM gone))
    INSERT INTO content_deltas (film_id, reviews, rating_sum)
      SELECT film_id, -1, -rating FROM gone WHERE NOT is_deleted AND state = 'approved';
  DELETE FROM content_claims WHERE user_id = p_user;
  DELETE FROM content_outbox WHERE user_id = p_user;
  GET DIAGNOSTICS n_events = ROW_COUNT;
  RETURN json_build_object('likes', n_likes, 'reviews', n_reviews, 'reviewLikes', n_review_likes,
    'bookmarks', n_bookmarks, 'viewings', n_viewings, 'events', n_events);
END $$;

-- Those that were there when it began are in the rows of their films when it has ended. In the order of films.
CREATE FUNCTION content_fold(p_rows_max integer) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  WITH gone AS (DELETE FROM content_deltas WHERE ctid = ANY(ARRAY(SELECT ctid FROM content_deltas LIMIT p_rows_max))
      RETURNING *)
    INSERT INTO content_films AS f
      SELECT film_id, sum(likes), sum(dislikes), sum(reviews), sum(rating_sum), sum(bookmarks)
        FROM gone GROUP BY film_id ORDER BY film_id
      ON CONFLICT (film_id) DO UPDATE SET likes = f.likes + excluded.likes, dislikes = f.dislikes + excluded.dislikes,
        reviews = f.reviews + excluded.reviews, rating_sum = f.rating_sum + excluded.rating_sum,
        bookmarks = f.bookmarks + excluded.bookmarks;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
