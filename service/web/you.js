// The view of yourself: films to rate, and a list that follows each rating.

import { account, accountId, isLoading, keepStars, loadAccount, startAccount, starsThatCount } from "./account.js";
import { showPanel, startPanel } from "./account_panel.js";
import { go, read, refresh } from "./address.js";
import { byId, count, element, keep, setText } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { filmSearch } from "./film_search.js";
import { films, loadFilms } from "./films.js";
import { listed, showHidden, startHidden } from "./hidden.js";
import { showProblem } from "./notice.js";
import { outbox, unkept } from "./outbox.js";
import { recommend } from "./recommendations.js";
import { setStarInput, starInput } from "./stars.js";

let undone = { of: null, stars: [] };
let refreshSearch = null;

export function startYou() {
  refreshSearch = filmSearch(byId("rate-search"), {
    id: "rate-query",
    label: "Find films you know",
    make: (film) => [starInput(film.title, (rating) => rate(film, rating))],
    update: (row, film) => setStarInput(row.lastChild, starsOf(film.movie_id)),
  });
  byId("undo").addEventListener("click", () => setStars(undone.stars.pop()));
  byId("clear").addEventListener("click", () => {
    saveForUndo();
    setStars([]);
    byId("rate-query").focus();
  });
  startPanel();
  startHidden();
  startAccount();
}

/** Shows the ratings of the address or the account, and recommends by them. */
export function showYou(state) {
  const rated = starsThatCount(state);
  const id = state.rated.length ? null : accountId();
  if (undone.of !== id) undone = { of: id, stars: [] };
  refreshSearch();
  showPanel(state);
  showRated(rated);
  showHidden();
  loadFilms([...rated.map((each) => each.movie_id), ...listed()], refresh);
  byId("rated-empty").hidden = rated.length > 0 || isLoading();
  byId("clear").disabled = rated.length === 0;
  byId("undo").disabled = undone.stars.length === 0;
  setText(byId("recommended-heading"), rated.length ? "You would like next" : "Most rated");
  if (!isLoading()) recommend(rated.length ? query(id, rated) : null, "you", state, id === null ? [...account.hidden].join() : `${id} ${outbox.version}`);
  else if (outbox.problem) showProblem(byId("recommended-notice"), outbox.problem, loadAccount);
  const lead = rated.length
    ? `Based on ${count(rated.length, "film")} you rated. Each rating changes the list.`
    : "Rate a few films: the list becomes personal after each one.";
  return { heading: "What would you like?", lead };
}

/** Returns the fields of a request. The service has what the account has, except what it does not keep yet. */
function query(id, rated) {
  if (id === null) return { history: rated, exclude: [...account.hidden] };
  const late = unkept().map((event) => event.movie_id);
  const history = rated.filter((each) => late.includes(each.movie_id));
  return { user_id: id, history, exclude: late.filter((each) => account.hidden.has(each)) };
}

const starsOf = (id) => starsThatCount(read()).find((each) => each.movie_id === id)?.rating ?? undefined;

function setStars(rated) {
  if (undone.of === null) go({ rated });
  else keepStars(rated);
}

function saveForUndo() {
  undone.stars.push(starsThatCount(read()));
}

function rate(film, rating) {
  films.set(film.movie_id, film);
  saveForUndo();
  const rated = starsThatCount(read());
  const changed = rated.map((each) => (each.movie_id === film.movie_id ? { ...each, rating } : each));
  setStars(rated.some((each) => each.movie_id === film.movie_id) ? changed : [...rated, { movie_id: film.movie_id, rating }]);
}

function remove(film) {
  saveForUndo();
  const buttons = [...byId("rated").querySelectorAll(".remove")];
  const at = buttons.indexOf(document.activeElement);
  (buttons[at + 1] ?? buttons[at - 1] ?? byId("rate-query")).focus();
  setStars(starsThatCount(read()).filter((each) => each.movie_id !== film.movie_id));
}

function showRated(rated) {
  const known = rated.flatMap((each) => films.get(each.movie_id) ?? []).reverse();
  const late = new Set(unkept().map((event) => event.movie_id));
  keep(byId("rated"), known, {
    key: filmKey,
    make: (film) => {
      const button = element("button", { type: "button", class: "remove", "aria-label": `Remove ${film.title}`, title: "Remove" }, "×");
      button.addEventListener("click", () => remove(film));
      return filmRow(film, starInput(film.title, (rating) => rate(film, rating)), button);
    },
    update: (row, film) => {
      showFilm(row, film);
      const isLate = undone.of !== null && late.has(film.movie_id);
      row.classList.toggle("late", isLate);
      if (isLate) setText(row.querySelector(".genres"), "not kept yet");
      setStarInput(row.querySelector("fieldset"), starsOf(film.movie_id));
    },
  });
}
