// The list of recommendations, with reasons.

import { byId, count, element, keep, latest, announce, setText, wait } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { showNotice, showProblem } from "./notice.js";
import { loadGenres } from "./controls.js";
import { request } from "./service.js";
import { hasStars, scaleKnown, shownStars, showStars } from "./stars.js";

const PAGE = 10;
const MOST = 200;
const SETTLE_MS = 120;
const SOURCES = { personalized: "personal", history: "from your stars", popular: "popular" };

let wanted = null;
let shown = null;
let size = PAGE;
let requestedAt = -Infinity;
const reasons = { of: null, by: new Map() };

export function startRecommendations() {
  byId("more").addEventListener("click", () => {
    size += PAGE;
    load();
  });
}

/** Recommends to `user`, fields of `POST /recommend`, or null for the most rated films. */
export function recommend(user, name, state) {
  const filter = {};
  if (state.genres.length) filter.genres_any = state.genres;
  if (state.from !== null) filter.year_min = state.from;
  if (state.to !== null) filter.year_max = state.to;
  const order = { filter, rank_by: state.rank, diversity: state.diversity };
  const next = JSON.stringify([user, user && order]);
  byId("controls-box").hidden = user === null;
  if (next === wanted?.key) return;
  wanted = { key: next, user, name, order };
  size = PAGE;
  load();
}

/** Debounces: the first change is sent at once, of many in a row the last. */
function pause() {
  const last = requestedAt;
  requestedAt = performance.now();
  return requestedAt - last < 2 * SETTLE_MS ? SETTLE_MS : 0;
}

const load = latest(async (signal) => {
  byId("recommended").setAttribute("aria-busy", "true");
  const { key, user, name, order } = wanted;
  try {
    const [answer] = await Promise.all([
      user === null
        ? request(["popular"], { query: { k: size }, signal })
        : request(["recommend"], { body: { ...user, ...order, k: size }, signal }),
      scaleKnown(),
    ]);
    if (signal.aborted) return;
    byId("ranks").hidden = !hasStars();
    show(answer, key, name);
    loadGenres();
    if (answer.source && answer.source !== "popular") await explain(answer, signal);
  } catch (problem) {
    if (signal.aborted) return;
    wanted.key = null;
    showProblem(byId("recommended-notice"), problem, load);
  } finally {
    if (!signal.aborted) byId("recommended").removeAttribute("aria-busy");
  }
}, pause);

function show({ bundle_id, source = "popular", items }, key, name) {
  const whose = `${bundle_id} ${JSON.stringify(wanted.user)}`;
  if (reasons.of !== whose) {
    reasons.of = whose;
    reasons.by.clear();
  }
  if (items.length) byId("recommended-notice").replaceChildren();
  else showNotice(byId("recommended-notice"), "No film passes", "Everything that passes these filters was already seen. Try fewer filters.");
  const list = byId("recommended");
  keep(list, items, { key: filmKey, make: makeRow, update: (row, film, at) => showRow(row, film, at, source) });
  const more = byId("more");
  const isAll = items.length < size || size >= MOST;
  if (isAll && document.activeElement === more) list.focus();
  more.hidden = isAll;
  list.removeAttribute("aria-busy");
  if (key !== shown || items.length > PAGE) announce(`${count(items.length, "film")} for ${name}, ${SOURCES[source]}`);
  shown = key;
}

function makeRow(film) {
  const row = filmRow(
    film,
    element("div", { class: "figures" }, shownStars(), element("span", { class: "soft score" }), element("span", { class: "badge" })),
  );
  row.querySelector(".body").append(element("span", { class: "why" }));
  return row;
}

function showRow(row, film, at, source) {
  showFilm(row, film);
  const [stars, score, badge] = row.querySelector(".figures").children;
  const isMean = film.predicted_rating === undefined;
  showStars(stars, isMean ? film.mean_rating : film.predicted_rating, isMean ? "on average" : "predicted");
  setText(score, source === "popular" ? `on average, seen by ${Math.round(100 * film.score)} %` : `score ${film.score.toFixed(2)}`);
  setText(badge, SOURCES[source]);
  badge.dataset.source = source;
  showReason(row, film.movie_id);
}

function showReason(row, movieId) {
  const because = reasons.by.get(movieId) ?? [];
  setText(row.querySelector(".why"), because.length ? `Because of ${because.map((each) => each.title).join(" and ")}` : "");
}

/** Loads the reasons after the list is shown, because they take longer. */
async function explain(answer, signal) {
  const missing = answer.items.map((film) => film.movie_id).filter((id) => !reasons.by.has(id));
  if (!missing.length) return;
  await wait(SETTLE_MS);
  if (signal.aborted) return;
  const body = { ...wanted.user, k: missing.length, filter: { movie_ids: missing }, explain: true };
  const explained = await request(["recommend"], { body, signal });
  if (signal.aborted || explained.bundle_id !== answer.bundle_id) return;
  for (const film of explained.items) reasons.by.set(film.movie_id, film.because.slice(0, 2));
  for (const row of byId("recommended").children) showReason(row, row.dataset.key);
}
