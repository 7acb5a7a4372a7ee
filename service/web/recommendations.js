// The list of recommendations, with reasons.

import { account, report } from "./account.js";
import { byId, count, element, keep, latest, announce, setText, wait } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { showNotice, showProblem } from "./notice.js";
import { loadGenres } from "./controls.js";
import { hideButton } from "./hidden.js";
import { feedback, modelKnown } from "./live_model.js";
import { request } from "./service.js";
import { hasStars, shownStars, showStars } from "./stars.js";

const PAGE = 10;
const MOST = 200;
const MOST_POPULAR = 500;
const SETTLE_MS = 120;
const LOOK_MS = 1_000;
const SOURCES = { personalized: "personal", history: "from your stars", popular: "popular" };

let wanted = null;
let answered = null;
let shown = null;
let size = PAGE;
let requestedAt = -Infinity;
const reasons = { of: null, by: new Map() };

export function startRecommendations() {
  byId("more").addEventListener("click", () => {
    size += PAGE;
    load();
  });
  byId("recommended").addEventListener("click", ({ target }) => {
    const row = target.matches(".title") && wanted.isYours && target.closest("li");
    if (row) report("click", { ...answered, items: answered.items.filter((film) => film.movie_id === row.dataset.key) });
  });
}

/**
 * Recommends to `user`, fields of `POST /recommend`, or null for the most rated films. In your own list `yours` is a
 * text that changes with what the list depends on.
 */
export function recommend(user, name, state, yours = null) {
  const filter = {};
  if (state.genres.length) filter.genres_any = state.genres;
  if (state.from !== null) filter.year_min = state.from;
  if (state.to !== null) filter.year_max = state.to;
  const order = { filter, rank_by: state.rank, diversity: state.diversity };
  const next = JSON.stringify([user, user && order, yours]);
  byId("controls-box").hidden = user === null;
  if (yours !== null && answered?.isYours) show(answered); // a film may be hidden by now
  if (next === wanted?.key) return;
  const list = JSON.stringify([user?.user_id ?? user?.history, user && order]);
  if (list !== wanted?.list) size = PAGE;
  wanted = { key: next, list, user, name, order, isYours: yours !== null, whose: JSON.stringify([user, yours]), reported: 0 };
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
  const { user, order, isYours } = wanted;
  try {
    const [answer] = await Promise.all([
      user === null
        ? request(["popular"], { query: { k: Math.min(size + account.hidden.size, MOST_POPULAR) }, signal })
        : request(["recommend"], { body: { ...user, ...order, k: size }, signal }),
      modelKnown(),
    ]);
    if (signal.aborted) return;
    byId("ranks").hidden = !hasStars();
    answered = { ...answer, ...wanted };
    show(answered);
    loadGenres();
    if (answer.source && answer.source !== "popular") await explain(answer, signal);
    if (isYours && user?.user_id) await reportShown(answer, signal);
  } catch (problem) {
    if (signal.aborted) return;
    wanted.key = null;
    showProblem(byId("recommended-notice"), problem, load);
  } finally {
    if (!signal.aborted) byId("recommended").removeAttribute("aria-busy");
  }
}, pause);

function show({ bundle_id, source = "popular", live = true, items: all, key, whose, name, isYours }) {
  const items = all.filter((film) => !isYours || !account.hidden.has(film.movie_id)).slice(0, size);
  if (reasons.of !== bundle_id + whose) {
    reasons.of = bundle_id + whose;
    reasons.by.clear();
  }
  if (isYours && !live) showNotice(byId("recommended-notice"), "Your stars cannot be read now", "This list is made without them.");
  else if (items.length) byId("recommended-notice").replaceChildren();
  else showNotice(byId("recommended-notice"), "No film passes", "Everything that passes these filters was already seen. Try fewer filters.");
  const list = byId("recommended");
  keep(list, items, { key: filmKey, make: makeRow, update: (row, film) => showRow(row, film, source, isYours) });
  const more = byId("more");
  const isAll = all.length < size || size >= MOST;
  if (isAll && document.activeElement === more) list.focus();
  more.hidden = isAll;
  list.removeAttribute("aria-busy");
  if (key !== shown || items.length > PAGE) announce(`${count(items.length, "film")} for ${name}, ${SOURCES[source]}`);
  shown = key;
}

function makeRow(film) {
  const row = filmRow(
    film,
    element("div", { class: "figures" }, shownStars(), element("span", { class: "soft score" }), element("span", { class: "badge" }), hideButton(film)),
  );
  row.querySelector(".body").append(element("span", { class: "why" }));
  return row;
}

function showRow(row, film, source, isYours) {
  showFilm(row, film);
  row.querySelector(".quiet").hidden = !isYours || feedback === "off";
  const [stars, score, badge] = row.querySelector(".figures").children;
  const isMean = film.predicted_rating === undefined;
  showStars(stars, isMean ? film.mean_rating : film.predicted_rating, isMean ? "on average" : "predicted");
  setText(score, isMean ? `on average, seen by ${Math.round(100 * film.score)} %` : `score ${film.score.toFixed(2)}`);
  setText(badge, SOURCES[isYours && source === "personalized" ? "history" : source]);
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

/** Reports each film of a list once, if the list stays for a moment. */
async function reportShown(answer, signal) {
  await wait(LOOK_MS);
  if (signal.aborted) return;
  report("impression", { ...answer, items: answer.items.slice(wanted.reported) });
  wanted.reported = answer.items.length;
}
