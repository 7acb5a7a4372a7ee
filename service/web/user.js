// The view of a known user: history, genres, recommendations.

import { REPLACE, go, read } from "./address.js";
import { byId, count, element, keep, latest, setText, setValue } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { showNotice, showProblem } from "./notice.js";
import { recommend } from "./recommendations.js";
import { modelKnown } from "./live_model.js";
import { request } from "./service.js";
import { shownStars, showStars } from "./stars.js";

const TYPING_MS = 250;
const FIRST = 12;
const MOST = 500;
const MOST_GENRES = 4;

let requested = null;
let seen = null;
let isWhole = false;

export function startUser() {
  const typed = latest(async (signal, text) => {
    if (text === "") return;
    go({ user: text }, REPLACE);
    const { items } = await request(["users"], { query: { query: text, limit: 20 }, signal }).catch(() => ({ items: [] }));
    if (!signal.aborted) offer(items);
  }, () => TYPING_MS);
  byId("user-id").addEventListener("input", ({ target }) => typed(target.value));
  byId("random-user").addEventListener("click", showRandomUser);
  byId("whole-history").addEventListener("click", () => {
    isWhole = !isWhole;
    showHistory();
  });
}

/** Shows the user of the address, or chooses one if it names none. */
export function showUser(state) {
  if (state.user === null) {
    chooseFirst();
    return null;
  }
  setValue(byId("user-id"), state.user);
  setText(byId("recommended-heading"), "Would like next");
  if (requested !== state.user) {
    requested = state.user;
    loadHistory();
  }
  recommend({ user_id: state.user }, `user ${state.user}`, state);
  return { heading: `User ${state.user}`, lead: "History, and recommendations from it." };
}

/** Chooses a first user: one with a long history and high ratings. */
const chooseFirst = latest(async (signal) => {
  try {
    const answer = await request(["users"], { query: { limit: 50 }, signal });
    if (signal.aborted) return;
    offer(answer.items);
    const busiest = answer.items.toSorted((one, other) => other.num_movies - one.num_movies);
    const [first] = busiest.slice(0, Math.ceil(busiest.length / 4)).sort((one, other) => other.mean_rating - one.mean_rating);
    go({ user: first.user_id }, REPLACE);
  } catch (problem) {
    if (!signal.aborted) showProblem(byId("recommended-notice"), problem, () => showUser(read()));
  }
});

const showRandomUser = latest(async (signal) => {
  const pick = (offset) => request(["users"], { query: { limit: 2, offset }, signal });
  try {
    const { total } = await pick(0);
    const { items } = await pick(Math.floor(Math.random() * Math.max(total - 1, 1)));
    const other = items.find((each) => each.user_id !== read().user) ?? items[0];
    byId("user-id").value = other.user_id;
    go({ user: other.user_id });
  } catch (problem) {
    if (!signal.aborted) showProblem(byId("history-notice"), problem, showRandomUser);
  }
});

function offer(users) {
  byId("user-ids").replaceChildren(
    ...users.map(({ user_id: value, num_movies: films }) => element("option", { value }, count(films, "film"))),
  );
}

const loadHistory = latest(async (signal) => {
  try {
    const [user] = await Promise.all([request(["users", requested], { query: { limit: MOST }, signal }), modelKnown()]);
    if (signal.aborted) return;
    seen = user;
    byId("history-notice").replaceChildren();
    isWhole = false;
  } catch (problem) {
    if (signal.aborted) return;
    seen = null;
    const notice = byId("history-notice");
    if (problem.status === 404) {
      const you = element("a", { href: "#view=you" }, "Rate a few films");
      showNotice(notice, "No user has this id", "So the list shows the most rated films. If this is you:", you);
    } else {
      showProblem(notice, problem, loadHistory);
    }
  }
  showHistory();
});

/** Returns a user's rating of a film, if the history is loaded. */
export function starsGiven(userId, movieId) {
  return seen?.user_id === userId ? seen.items.find((film) => film.movie_id === movieId)?.rating : undefined;
}

function showHistory() {
  const films = seen?.items ?? [];
  const mean = seen?.mean_rating;
  const average = mean === null || mean === undefined ? "" : `, ${mean.toFixed(1)} stars on average`;
  setText(byId("history-summary"), seen ? `${count(seen.num_movies, "film")}${average}; newest first` : "");
  keep(byId("genre-shares"), genreShares(films), {
    key: ([genre]) => genre,
    make: ([genre]) => element("li", {}, element("span", {}, genre), element("span", { class: "bar", "aria-hidden": "true" }), element("span", { class: "soft" })),
    update: (row, [, share]) => {
      row.children[1].style.setProperty("--filled", `${100 * share}%`);
      setText(row.children[2], `${Math.round(100 * share)} %`);
    },
  });
  keep(byId("history"), isWhole ? films : films.slice(0, FIRST), {
    key: filmKey,
    make: (film) => filmRow(film, shownStars()),
    update: (row, film) => {
      showFilm(row, film);
      showStars(row.lastChild, film.rating, "given");
    },
  });
  byId("history").classList.toggle("whole", isWhole);
  const button = byId("whole-history");
  button.hidden = films.length <= FIRST;
  setText(button, isWhole ? "Show fewer" : films.length < seen?.num_movies ? `Show the newest ${films.length}` : `Show all ${films.length}`);
}

/** Returns the most frequent genres with their shares. */
function genreShares(films) {
  const counts = new Map();
  for (const genre of films.flatMap((film) => film.genres)) counts.set(genre, (counts.get(genre) ?? 0) + 1);
  const falling = [...counts].sort(([, one], [, other]) => other - one).slice(0, MOST_GENRES);
  return falling.map(([genre, number]) => [genre, number / films.length]);
}
