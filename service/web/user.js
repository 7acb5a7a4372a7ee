// The view of a known user: history, genres, recommendations.

import { REPLACE, go, read } from "./address.js";
import { bar, byId, count, element, keep, latest, onClick, setText, setValue } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./films.js";
import { showNotice, showProblem } from "./notice.js";
import { recommend } from "./recommendations.js";
import { modelKnown, request } from "./service.js";
import { shownStars, showStars } from "./stars.js";

const TYPING_MS = 250;
const FIRST = 12;
const MOST = 500;

let requested = null;
let seen = null;
let isWhole = false;

export function startUser() {
	const typed = latest(async (_signal, user) => user && go({ user }, REPLACE), null, () => TYPING_MS);
	byId("user-id").addEventListener("input", ({ target }) => typed(target.value));
	onClick("random-user", showRandomUser);
	onClick("whole-history", () => {
		isWhole = !isWhole;
		showHistory();
	});
}

// Shows the user of the address, or chooses one if it names none.
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
	return { heading: `User ${state.user}`, lead: "What this user has seen, and would like next." };
}

// Chooses a first user: one with a long history and high ratings.
const chooseFirst = latest(async (signal) => {
	const { items } = await request(["users"], { query: { limit: 50 }, signal });
	const worth = ({ num_movies, mean_rating }) => num_movies * (mean_rating ?? 1) ** 9;
	go({ user: items.reduce((one, other) => (worth(other) > worth(one) ? other : one)).user_id }, REPLACE);
}, (problem) => showProblem(byId("recommended-notice"), problem, () => showUser(read())));

const showRandomUser = latest(async (signal) => {
	const pick = (offset) => request(["users"], { query: { limit: 2, offset }, signal });
	const { total } = await pick(0);
	const { items } = await pick(Math.floor(Math.random() * Math.max(total - 1, 1)));
	const other = items.find((each) => each.user_id !== read().user) ?? items[0];
	byId("user-id").value = other.user_id;
	go({ user: other.user_id });
}, (problem) => showProblem(byId("history-notice"), problem, showRandomUser));

const loadHistory = latest(async (signal) => {
	const [user] = await Promise.all([request(["users", requested], { query: { limit: MOST }, signal }), modelKnown()]);
	if (signal.aborted) return;
	seen = user;
	isWhole = false;
	byId("history-notice").replaceChildren();
	showHistory();
}, (problem) => {
	seen = null;
	const notice = byId("history-notice");
	if (problem.status === 404) showNotice(notice, "No user has this id", "So the list shows the most rated films.", element("a", { href: "#view=you" }, "Rate a few films"));
	else showProblem(notice, problem, loadHistory);
	showHistory();
});

function showHistory() {
	const films = seen?.items ?? [];
	const mean = seen?.mean_rating;
	const average = mean === null || mean === undefined ? "" : `, mean ${mean.toFixed(1)} stars`;
	setText(byId("history-summary"), seen ? `${count(seen.num_movies, "film")}${average}; newest first` : "");
	byId("genre-shares").replaceChildren(...genreShares(films));
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
	setText(button, isWhole ? "Show fewer" : `Show ${films.length}`);
}

function genreShares(films) {
	const counts = new Map();
	for (const genre of films.flatMap((film) => film.genres)) counts.set(genre, (counts.get(genre) ?? 0) + 1);
	const most = [...counts].sort(([, one], [, other]) => other - one).slice(0, 4);
	return most.map(([genre, number]) => bar(genre, number / films.length, `${Math.round((100 * number) / films.length)} %`));
}
