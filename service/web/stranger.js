// A stranger: films they give stars to, and a list that follows each of them.

import { go, read } from "./address.js";
import { byId, count, element, keep, latest, setText } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { filmSearch } from "./film_search.js";
import { recommend } from "./recommendations.js";
import { ask } from "./service.js";
import { scaleKnown, setStarInput, starInput } from "./stars.js";

const films = new Map();
const undone = [];
let refreshSearch = null;

export function startStranger() {
  refreshSearch = filmSearch(byId("rate-search"), {
    id: "rate-query",
    label: "Find films you know",
    make: (film) => [starInput(film.title, (rating) => rate(film, rating))],
    update: (row, film) => setStarInput(row.lastChild, starsOf(film.movie_id)),
  });
  byId("undo").addEventListener("click", () => go({ rated: undone.pop() }));
  byId("clear").addEventListener("click", () => {
    remember();
    go({ rated: [] });
    byId("rate-query").focus();
  });
}

/** Shows what the stranger of the address gave stars to, and recommends by it. */
export function showStranger(state) {
  const { rated } = state;
  refreshSearch();
  loadFilms(rated);
  byId("rated-empty").hidden = rated.length > 0;
  byId("clear").disabled = rated.length === 0;
  byId("undo").disabled = undone.length === 0;
  setText(byId("recommended-heading"), rated.length ? "You would like next" : "What most people have seen");
  recommend(rated.length ? { history: rated } : null, "you", state);
  const lead = rated.length
    ? `Made of ${count(rated.length, "film")} you gave stars to. Another one changes it.`
    : "Give a few films stars, and watch the list become yours after each one.";
  return { heading: "What would you like?", lead };
}

const starsOf = (id) => read().rated.find((each) => each.movie_id === id)?.rating;

function remember() {
  undone.push(read().rated);
}

function rate(film, rating) {
  films.set(film.movie_id, film);
  remember();
  const rated = read().rated.map((each) => (each.movie_id === film.movie_id ? { ...each, rating } : each));
  go({ rated: starsOf(film.movie_id) === undefined ? [...rated, { movie_id: film.movie_id, rating }] : rated });
}

function remove(film) {
  remember();
  const { rated } = read();
  const buttons = [...byId("rated").querySelectorAll(".remove")];
  const at = buttons.indexOf(document.activeElement);
  (buttons[at + 1] ?? buttons[at - 1] ?? byId("rate-query")).focus();
  go({ rated: rated.filter((each) => each.movie_id !== film.movie_id) });
}

/** Asks for the titles that the page has not seen yet. */
const loadFilms = latest(async (signal, rated) => {
  showRated(rated);
  const missing = rated.map((each) => each.movie_id).filter((id) => !films.has(id));
  if (!missing.length) return;
  await scaleKnown().catch(() => {}); // what fails here is told by the list of recommendations
  await Promise.all(
    missing.map(async (id) => {
      const found = await ask(["movies", id], { signal }).catch((problem) => (problem.status === 404 ? gone(id) : null));
      if (found) films.set(id, found);
    }),
  );
  if (!signal.aborted) showRated(rated);
});

/** A film of a shared link that this bundle does not have. */
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
