// The list of recommendations: for whom, in which order, how many, and why each of them.

import { byId, count, element, keep, latest, say, setText, wait } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { tellNotice, tellProblem } from "./notice.js";
import { loadGenres } from "./controls.js";
import { ask } from "./service.js";
import { scaleKnown, shownStars, showStars } from "./stars.js";

const PAGE = 10;
const MOST = 200;
const SETTLE_MS = 120;
const SOURCES = { personalized: "personal", history: "from your stars", popular: "popular" };

let wanted = null;
let shown = null;
let size = PAGE;
let askedAt = -Infinity;
const reasons = { of: null, by: new Map() };

export function startRecommendations() {
  byId("more").addEventListener("click", () => {
    size += PAGE;
    load();
  });
}

/** Recommends to a person: what `POST /recommend` takes to know them, or null where nothing is known. */
export function recommend(person, name, state) {
  const filter = {};
  if (state.genres.length) filter.genres_any = state.genres;
  if (state.from !== null) filter.year_min = state.from;
  if (state.to !== null) filter.year_max = state.to;
  const order = { filter, rank_by: state.rank, diversity: state.diversity };
  const next = JSON.stringify([person, person && order]);
  byId("controls-box").hidden = person === null;
  if (next === wanted?.key) return;
  wanted = { key: next, person, name, order };
  size = PAGE;
  load();
}

/** The first change is answered at once, of many in a row the last. */
function pause() {
  const last = askedAt;
  askedAt = performance.now();
  return askedAt - last < 2 * SETTLE_MS ? SETTLE_MS : 0;
}

const load = latest(async (signal) => {
  byId("recommended").setAttribute("aria-busy", "true");
  const { key, person, name, order } = wanted;
  try {
    const [answer] = await Promise.all([
      person === null
        ? ask(["popular"], { query: { k: size }, signal })
        : ask(["recommend"], { body: { ...person, ...order, k: size }, signal }),
      scaleKnown(),
    ]);
    if (signal.aborted) return;
    show(answer, key, name);
    loadGenres();
    if (answer.source && answer.source !== "popular") await explain(answer, signal);
  } catch (problem) {
    if (signal.aborted) return;
    wanted.key = null;
    tellProblem(byId("recommended-notice"), problem, load);
  } finally {
    if (!signal.aborted) byId("recommended").removeAttribute("aria-busy");
  }
}, pause);

function show({ bundle_id, source = "popular", items }, key, name) {
  const whose = `${bundle_id} ${JSON.stringify(wanted.person)}`;
  if (reasons.of !== whose) {
    reasons.of = whose;
    reasons.by.clear();
  }
  if (items.length) byId("recommended-notice").replaceChildren();
  else tellNotice(byId("recommended-notice"), "No film passes", "All that these filters let through was seen already. Try fewer filters.");
  const list = byId("recommended");
  keep(list, items, { key: filmKey, make: makeRow, update: (row, film, at) => showRow(row, film, at, source) });
  const more = byId("more");
  const isAll = items.length < size || size >= MOST;
  if (isAll && document.activeElement === more) list.focus();
  more.hidden = isAll;
  list.removeAttribute("aria-busy");
  if (key !== shown || items.length > PAGE) say(`${count(items.length, "film")} for ${name}, ${SOURCES[source]}`);
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
  stars.hidden = isMean && film.mean_rating === null;
  if (!stars.hidden) showStars(stars, isMean ? film.mean_rating : film.predicted_rating, isMean ? "on average" : "predicted");
  setText(score, source === "popular" ? `on average, seen by ${Math.round(100 * film.score)} %` : `score ${film.score.toFixed(2)}`);
  setText(badge, SOURCES[source]);
  badge.dataset.source = source;
  showReason(row, film.movie_id);
}

function showReason(row, movieId) {
  const because = reasons.by.get(movieId) ?? [];
  setText(row.querySelector(".why"), because.length ? `Because of ${because.map((each) => each.title).join(" and ")}` : "");
}

/** Asks why, after the list is shown: it takes longer, and nobody should wait for it. */
async function explain(answer, signal) {
  const missing = answer.items.map((film) => film.movie_id).filter((id) => !reasons.by.has(id));
  if (!missing.length) return;
  await wait(SETTLE_MS);
  if (signal.aborted) return;
  const body = { ...wanted.person, k: missing.length, filter: { movie_ids: missing }, explain: true };
  const explained = await ask(["recommend"], { body, signal });
  if (signal.aborted || explained.bundle_id !== answer.bundle_id) return;
  for (const film of explained.items) reasons.by.set(film.movie_id, film.because.slice(0, 2));
  for (const row of byId("recommended").children) showReason(row, row.dataset.key);
}
