// The film view: its facts, predicted ratings, and similar films.

import { starsThatCount } from "./account.js";
import { REPLACE, go, link } from "./address.js";
import { byId, element, keep, showTerms, latest, announce, setText, setValue } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { filmSearch } from "./film_search.js";
import { showNotice, showProblem } from "./notice.js";
import { modelKnown } from "./live_model.js";
import { request } from "./service.js";
import { shownStars, showStars } from "./stars.js";
import { starsGiven } from "./user.js";

const SIMILAR = 10;
const TYPING_MS = 250;

let refreshSearch = null;
let requested = null;
let film = null;

export function startMovie() {
  refreshSearch = filmSearch(byId("movie-search"), { id: "movie-query", label: "Find a film" });
  const typed = latest(async (_signal, text) => go({ user: text === "" ? null : text }, REPLACE), () => TYPING_MS);
  byId("movie-user-id").addEventListener("input", ({ target }) => typed(target.value));
}

/** Shows the film of the address; calls `changed` once its title is loaded. */
export function showMovie(state, changed) {
  refreshSearch();
  setValue(byId("movie-user-id"), state.user ?? "");
  byId("film").hidden = state.movie === null;
  const next = JSON.stringify([state.movie, state.user, starsThatCount(state)]);
  if (state.movie !== null && next !== requested) {
    requested = next;
    load(state, changed);
  }
  if (state.movie === null) return { heading: "A film", lead: "Choose one to see similar films." };
  const isShown = film?.movie_id === state.movie;
  return { heading: isShown ? film.title : "A film", lead: isShown ? film.genres.join(" · ") : "" };
}

const load = latest(async (signal, state, changed) => {
  const notice = byId("movie-notice");
  const yours = starsThatCount(state);
  try {
    const [found, similar, forUser, forYou] = await Promise.all([
      request(["movies", state.movie], { signal }),
      request(["movies", state.movie, "similar"], { query: { k: SIMILAR }, signal }),
      state.user === null ? null : predict({ user_id: state.user }, state.movie, signal),
      yours.length === 0 ? null : predict({ history: yours }, state.movie, signal),
      modelKnown(),
    ]);
    if (signal.aborted) return;
    film = found;
    notice.replaceChildren();
    byId("film-facts").hidden = false;
    showFacts(found, forUser, forYou, state);
    showSimilar(similar.items);
    announce(`${found.title}, with ${similar.items.length} similar films`);
  } catch (problem) {
    if (signal.aborted) return;
    film = null;
    byId("film-facts").hidden = true;
    if (problem.status === 404) showNotice(notice, "No film here has this id", "Look for another one.");
    else showProblem(notice, problem, () => load(state, changed));
  }
  changed();
});

/** Returns a prediction, or null if the bundle does not have one of the films, or no ratings. */
async function predict(user, movieId, signal) {
  try {
    return await request(["predict_rating"], { body: { ...user, movie_id: movieId }, signal });
  } catch (problem) {
    if (problem.status === 404 || problem.status === 409) return null;
    throw problem;
  }
}

function showFacts(found, forUser, forYou, state) {
  const facts = [["Rated by", `${found.num_ratings.toLocaleString("en")} users`]];
  if (found.mean_rating !== null) facts.push(["They gave", withStars(found.mean_rating, "on average")]);
  if (forUser) {
    const user = element("a", { href: link({ view: "user" }) }, `User ${state.user}`);
    const who = forUser.known_user ? [user, " would give"] : ["A new user would give"];
    facts.push([who, withStars(forUser.predicted_rating, "predicted")]);
    const given = starsGiven(state.user, found.movie_id);
    if (given !== undefined && given !== null) facts.push([`User ${state.user} gave`, withStars(given, "given")]);
  }
  if (forYou) facts.push(["You would give", withStars(forYou.predicted_rating, "predicted")]);
  showTerms(byId("facts"), facts);
}

function withStars(rating, kind) {
  const stars = shownStars();
  showStars(stars, rating, kind);
  return stars;
}

function showSimilar(films) {
  keep(byId("similar"), films, {
    key: filmKey,
    make: (each) => filmRow(each, element("div", { class: "figures" }, shownStars(), element("span", { class: "soft score" }))),
    update: (row, each) => {
      showFilm(row, each);
      const [stars, score] = row.lastChild.children;
      showStars(stars, each.mean_rating, "on average");
      setText(score, `cosine ${each.score.toFixed(2)}`);
    },
  });
}
