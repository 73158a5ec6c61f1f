// The film site: a catalogue, a film's page, search, likes. All it does for analytics is here in `sdk`, `watch` and `identify`, and in
// the data-ugc-… attributes: views, time, clicks and filters tell themselves.

const { ugcUrl, ugcKey } = document.getElementById('app').dataset;
const { init, pageViews, pageTime, clicks, vitals, watch } = window.ugc;
const tracker = init({
  url: ugcUrl,
  key: ugcKey,
  common: { country: 'NL', device: matchMedia('(max-width: 600px)').matches ? 'mobile' : 'desktop' },
  automatic: [pageViews(), pageTime(), clicks(), vitals()],
});

const films = await (await fetch('/films.json')).json();
const main = document.getElementById('main');
let leaveFilm = () => {};

/** An element with its attributes and what is in it; text is text, whatever it looks like. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// ── who is signed in ─────────────────────────────────────────────────────────────────────────────

let user = sessionStorage.getItem('user');
const sign = document.getElementById('sign');
function showUser() {
  sign.textContent = user === null ? 'Sign in' : `Sign out ${user}`;
  if (user !== null) tracker.identify(user);
}
sign.addEventListener('click', () => {
  user = user === null ? `viewer-${Math.random().toString(36).slice(2, 6)}` : null;
  if (user === null) {
    sessionStorage.removeItem('user');
    tracker.reset();
  } else sessionStorage.setItem('user', user);
  showUser();
  show();
});

/** The content API of ugc; of nobody in particular where nobody is signed in. */
async function content(method, path) {
  const headers = {};
  if (user !== null) {
    const { token } = await (await fetch(`/token?user=${encodeURIComponent(user)}`)).json();
    headers.authorization = `Bearer ${token}`;
  }
  const answer = await fetch(ugcUrl + path, { method, headers });
  return answer.ok ? answer.json() : null;
}

// ── the catalogue ────────────────────────────────────────────────────────────────────────────────

function cardOf({ id, title, year, genre, hue }) {
  const poster = element('div', { class: 'poster', style: `--hue: ${hue}` });
  const words = element('p', {}, title, element('br'), element('span', { class: 'soft' }, `${genre}, ${year}`));
  return element(
    'li',
    {},
    element('a', { href: `/film/${id}`, 'data-ugc-element': 'film_card', id: `card-${id}` }, poster, words),
  );
}

function showCatalogue() {
  const list = element('ul', { class: 'films' });
  const title = element('input', { type: 'search', name: 'title', id: 'title', autocomplete: 'off' });
  const genre = element('select', { name: 'genre', id: 'genre' }, element('option', { value: '' }, 'all'));
  for (const name of [...new Set(films.map(film => film.genre))].sort()) genre.append(element('option', {}, name));
  const fill = () => {
    const wanted = films.filter(
      film =>
        film.title.toLowerCase().includes(title.value.trim().toLowerCase()) &&
        (genre.value === '' || film.genre === genre.value),
    );
    list.replaceChildren(...wanted.map(cardOf));
    if (wanted.length === 0) list.append(element('li', { class: 'soft' }, 'No film is called that.'));
  };
  const form = element(
    'form',
    { role: 'search', 'data-ugc-filter': '' },
    element('label', {}, 'Title', title),
    element('label', {}, 'Genre', genre),
  );
  form.addEventListener('input', fill);
  form.addEventListener('submit', event => event.preventDefault());
  fill();
  main.replaceChildren(element('h1', {}, 'Films by night'), form, list);
}

// ── a film ───────────────────────────────────────────────────────────────────────────────────────

function showFilm(film) {
  const video = element('video', { controls: '', playsinline: '', preload: 'metadata', src: '/night-180p.webm' });
  video.muted = true;
  const quality = element('select', { id: 'quality', 'aria-label': 'Quality' });
  for (const height of ['180p', '360p']) quality.append(element('option', {}, height));
  quality.addEventListener('change', () => {
    const { currentTime, paused } = video;
    video.src = `/night-${quality.value}.webm`;
    video.currentTime = currentTime;
    if (!paused) void video.play();
  });
  const like = element('button', { id: 'like', type: 'button', 'aria-pressed': 'false' }, 'Like');
  const likes = element('span', { class: 'soft', id: 'likes', role: 'status' });
  const path = `/v1/films/${encodeURIComponent(film.id)}/like`;
  const tell = known => {
    like.setAttribute('aria-pressed', String(known?.value === 1));
    likes.textContent =
      known === null ? 'Sign in to like it.' : `${known.likes} ${known.likes === 1 ? 'likes' : 'like'} it`;
  };
  like.addEventListener('click', async () =>
    tell(
      await content(like.getAttribute('aria-pressed') === 'true' ? 'DELETE' : 'PUT', path).then(
        done => done && content('GET', path),
      ),
    ),
  );
  void content('GET', path).then(tell);
  main.replaceChildren(
    element('h1', {}, film.title),
    element(
      'div',
      { class: 'player' },
      video,
      element(
        'div',
        { class: 'bar' },
        like,
        likes,
        quality,
        element('span', { class: 'soft' }, `${film.genre}, ${film.year}`),
      ),
    ),
  );
  leaveFilm = watch(video, { filmId: film.id, everySeconds: 5 })(tracker);
}

// ── moving between them ──────────────────────────────────────────────────────────────────────────

function show() {
  leaveFilm();
  leaveFilm = () => {};
  const film = films.find(({ id }) => location.pathname === `/film/${id}`);
  document.title = film === undefined ? 'Lantern — films by night' : `${film.title} — Lantern`;
  if (film === undefined) showCatalogue();
  else showFilm(film);
}
addEventListener('popstate', show);
document.addEventListener('click', event => {
  const link = event.target.closest?.('a');
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (link?.origin !== location.origin || !isPlain) return;
  event.preventDefault();
  if (link.href !== location.href) history.pushState(null, '', link.href);
  show();
  scrollTo(0, 0);
  main.focus();
});
showUser();
show();
