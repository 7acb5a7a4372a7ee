// The view for a new user: films to rate, and a list that follows each rating.

import { go, read } from "./address.js";
import { byId, count, element, keep, latest, setText } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { filmSearch } from "./film_search.js";
import { recommend } from "./recommendations.js";
import { request } from "./service.js";
import { scaleKnown, setStarInput, starInput } from "./stars.js";

const films = new Map();
const undone = [];
let refreshSearch = null;

export function startYou() {
  refreshSearch = filmSearch(byId("rate-search"), {
    id: "rate-query",
    label: "Find films you know",
    make: (film) => [starInput(film.title, (rating) => rate(film, rating))],
    update: (row, film) => setStarInput(row.lastChild, starsOf(film.movie_id)),
  });
  byId("undo").addEventListener("click", () => go({ rated: undone.pop() }));
  byId("clear").addEventListener("click", () => {
    saveForUndo();
    go({ rated: [] });
    byId("rate-query").focus();
  });
}

/** Shows the ratings of the address, and recommends by them. */
export function showYou(state) {
  const { rated } = state;
  refreshSearch();
  loadFilms(rated);
  byId("rated-empty").hidden = rated.length > 0;
  byId("clear").disabled = rated.length === 0;
  byId("undo").disabled = undone.length === 0;
  setText(byId("recommended-heading"), rated.length ? "You would like next" : "Most rated");
  recommend(rated.length ? { history: rated } : null, "you", state);
  const lead = rated.length
    ? `Based on ${count(rated.length, "film")} you rated. Each rating changes the list.`
    : "Rate a few films: the list becomes personal after each one.";
  return { heading: "What would you like?", lead };
}

const starsOf = (id) => read().rated.find((each) => each.movie_id === id)?.rating;

function saveForUndo() {
  undone.push(read().rated);
}

function rate(film, rating) {
  films.set(film.movie_id, film);
  saveForUndo();
  const rated = read().rated.map((each) => (each.movie_id === film.movie_id ? { ...each, rating } : each));
  go({ rated: starsOf(film.movie_id) === undefined ? [...rated, { movie_id: film.movie_id, rating }] : rated });
}

function remove(film) {
  saveForUndo();
  const { rated } = read();
  const buttons = [...byId("rated").querySelectorAll(".remove")];
  const at = buttons.indexOf(document.activeElement);
  (buttons[at + 1] ?? buttons[at - 1] ?? byId("rate-query")).focus();
  go({ rated: rated.filter((each) => each.movie_id !== film.movie_id) });
}

/** Loads the titles that are not loaded yet. */
const loadFilms = latest(async (signal, rated) => {
  showRated(rated);
  const missing = rated.map((each) => each.movie_id).filter((id) => !films.has(id));
  if (!missing.length) return;
  await scaleKnown().catch(() => {}); // the list of recommendations shows the error
  await Promise.all(
    missing.map(async (id) => {
      const found = await request(["movies", id], { signal }).catch((problem) => (problem.status === 404 ? gone(id) : null));
      if (found) films.set(id, found);
    }),
  );
  if (!signal.aborted) showRated(rated);
});

/** Stands for a film of a shared link that this bundle does not have. */
function gone(id) {
  return { movie_id: id, title: `Unknown film ${id}`, genres: [], year: null };
}

function showRated(rated) {
  const known = rated.flatMap((each) => films.get(each.movie_id) ?? []).reverse();
  keep(byId("rated"), known, {
    key: filmKey,
    make: (film) => {
      const button = element("button", { type: "button", class: "remove", "aria-label": `Remove ${film.title}`, title: "Remove" }, "×");
      button.addEventListener("click", () => remove(film));
      return filmRow(film, starInput(film.title, (rating) => rate(film, rating)), button);
    },
    update: (row, film) => {
      showFilm(row, film);
      setStarInput(row.querySelector("fieldset"), starsOf(film.movie_id));
    },
  });
}
