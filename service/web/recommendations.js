// The list of recommendations, with reasons.

import { account, report } from "./account.js";
import { announce, byId, count, element, keep, latest, onClick, setText, wait } from "./elements.js";
import { filmKey, filmRow, otherTitle, showFilm, titleOf } from "./films.js";
import { showNotice, showProblem } from "./notice.js";
import { loadGenres, yearsInWords } from "./controls.js";
import { hideButton } from "./hidden.js";
import { modelKnown, request } from "./service.js";
import { hasStars, setStarInput, shownStars, showStars, starInput } from "./stars.js";

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
	onClick("more", () => {
		size += PAGE;
		load();
	});
	onClick("see-list", () => {
		byId("recommended-heading").focus();
		byId("recommended-heading").scrollIntoView();
	});
	byId("recommended").addEventListener("click", ({ target }) => {
		const row = target.matches(".title") && wanted.yours && target.closest("li");
		if (row) report("click", { ...answered, items: answered.items.filter((film) => film.movie_id === row.dataset.key) });
	});
}

// Recommends to `user`, fields of `POST /recommend`, or null for the most rated films. In your own list `yours` is a
// text that changes with what the list depends on, and `give(film, rating)` gives a film stars.
export function recommend(user, name, state, yours = null, give = null) {
	const filter = {};
	if (state.genres.length) filter.genres_any = state.genres;
	if (state.from !== null) filter.year_min = state.from;
	if (state.to !== null) filter.year_max = state.to;
	const order = { filter, rank_by: state.rank === "fit" ? undefined : state.rank, diversity: state.diversity };
	const next = JSON.stringify([user, user && order, yours]);
	byId("controls-box").hidden = user === null;
	if (yours !== null && answered?.yours) show(answered); // a film may be hidden by now
	if (next === wanted?.key) return;
	const list = JSON.stringify([user?.user_id ?? user?.history, user && order]);
	if (list !== wanted?.list) size = PAGE;
	wanted = { key: next, list, user, name, order, yours: give, whose: JSON.stringify([user, yours]), reported: 0 };
	load();
}

// Debounces: the first change is sent at once, of many in a row the last.
function pause() {
	const last = requestedAt;
	requestedAt = performance.now();
	return requestedAt - last < 2 * SETTLE_MS ? SETTLE_MS : 0;
}

const load = latest(async (signal) => {
	byId("recommended").setAttribute("aria-busy", "true");
	const { user, order, yours } = wanted;
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
	await loadGenres();
	if (!signal.aborted && !answer.items.length) show(answered); // with the years that are known now
	if (answer.source && answer.source !== "popular") await explain(answer, signal);
	if (yours && user?.user_id) await reportShown(answer, signal);
}, (problem) => {
	wanted.key = null;
	byId("recommended").removeAttribute("aria-busy");
	showProblem(byId("recommended-notice"), problem, load);
}, pause);

function show({ bundle_id, source: answerSource = "popular", live = true, items: all, key, whose, name, user, yours }) {
	const source = yours && answerSource === "personalized" ? "history" : answerSource;
	const items = all.filter((film) => !yours || !account.hidden.has(film.movie_id)).slice(0, size);
	if (reasons.of !== bundle_id + whose) {
		reasons.of = bundle_id + whose;
		reasons.by.clear();
	}
	if (yours && !live) showNotice(byId("recommended-notice"), "Your stars cannot be read now", "This list is made without them.");
	else if (items.length) byId("recommended-notice").replaceChildren();
	else showNotice(byId("recommended-notice"), "No film passes", `None here has all of that and is unseen.${yearsInWords()}`);
	setText(byId("source"), SOURCES[source]);
	const list = byId("recommended");
	if (list.dataset.yours !== String(yours !== null)) list.replaceChildren();
	list.dataset.yours = yours !== null;
	const before = [...list.children].map((row) => row.dataset.key);
	const stayed = items.filter((film) => before.includes(film.movie_id)).length;
	const isMoved = key !== shown && yours !== null && stayed > 0;
	keep(list, items, {
		key: filmKey,
		make: (film) => makeRow(film, yours),
		update: (row, film, at) => {
			showRow(row, film);
			if (key !== shown) setText(row.querySelector(".moved"), isMoved ? moved(before.indexOf(film.movie_id), at) : "");
		},
	});
	const more = byId("more");
	const isAll = all.length < size || size >= MOST;
	if (isAll && document.activeElement === more) list.focus();
	more.hidden = isAll;
	list.removeAttribute("aria-busy");
	if (yours) showBar(user, items, isMoved && items.length - stayed);
	if (key !== shown || items.length > PAGE) announce(`${count(items.length, "film")} for ${name}, ${SOURCES[source]}`);
	shown = key;
}

function moved(from, to) {
	if (from < 0) return "new";
	return from === to ? "" : from > to ? `▲ ${from - to}` : `▼ ${to - from}`;
}

function showBar(user, [first], fresh) {
	const news = fresh ? `${fresh} new. ` : "";
	setText(byId("bar-text"), user === null ? "Tap stars: the list follows" : first ? `${news}First: ${titleOf(first)}` : "");
}

function makeRow(film, give) {
	const figures = element("div", { class: "figures" }, shownStars());
	if (give) {
		figures.prepend(starInput(titleOf(film), (rating) => give(film, rating), true));
		figures.append(hideButton(film));
	}
	const row = filmRow(film, figures);
	row.querySelector(".title").after(element("span", { class: "moved" }));
	row.querySelector(".body").append(element("span", { class: "why" }), element("span", { class: "soft score" }));
	return row;
}

function showRow(row, film) {
	showFilm(row, film);
	const isMean = film.predicted_rating === undefined;
	const rating = isMean ? film.mean_rating : film.predicted_rating;
	showStars(row.querySelector(".stars"), rating, isMean ? "mean" : "predicted");
	const input = row.querySelector(".give");
	if (input && !input.contains(document.activeElement)) setStarInput(input, undefined, rating);
	const score = isMean ? `seen by ${Math.round(100 * film.score)} % of users` : `score ${film.score.toFixed(2)}`;
	setText(row.querySelector(".score"), otherTitle(film) ? `${score}, catalogued as “${film.title}”` : score);
	showReason(row, film.movie_id);
}

function showReason(row, movieId) {
	const { because = [], although = [] } = reasons.by.get(movieId) ?? {};
	const [but] = although;
	const reason = because.length ? `Because of ${because.slice(0, 2).map(titleOf).join(" and ")}` : but && `Although ${titleOf(but)} got ${but.rating}`;
	setText(row.querySelector(".why"), reason ?? "");
}

// Loads the reasons after the list is shown, because they take longer.
async function explain(answer, signal) {
	const missing = answer.items.map((film) => film.movie_id).filter((id) => !reasons.by.has(id));
	if (!missing.length) return;
	await wait(SETTLE_MS);
	if (signal.aborted) return;
	const body = { ...wanted.user, rank_by: wanted.order.rank_by, k: missing.length, filter: { movie_ids: missing }, explain: true };
	const explained = await request(["recommend"], { body, signal });
	if (signal.aborted || explained.bundle_id !== answer.bundle_id) return;
	for (const film of explained.items) reasons.by.set(film.movie_id, film);
	for (const row of byId("recommended").children) showReason(row, row.dataset.key);
}

async function reportShown(answer, signal) {
	await wait(LOOK_MS);
	if (signal.aborted) return;
	report("impression", { ...answer, items: answer.items.slice(wanted.reported) });
	wanted.reported = answer.items.length;
}
