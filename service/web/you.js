// The view of yourself: films to rate, and a list that follows each rating.

import { account, accountId, isLoading, keepStars, loadAccount, newAccount, startAccount, starsThatCount } from "./account.js";
import { showPanel, startPanel } from "./account_panel.js";
import { go, read, refresh } from "./address.js";
import { button, byId, count, keep, onClick, setText } from "./elements.js";
import { filmKey, filmRow, films, loadFilms, showFilm, titleOf } from "./films.js";
import { filmSearch } from "./film_search.js";
import { listed, showHidden, startHidden } from "./hidden.js";
import { showProblem, showToast } from "./notice.js";
import { outbox, unkept } from "./outbox.js";
import { recommend } from "./recommendations.js";
import { setStarInput, starInput } from "./stars.js";
import { feedback } from "./service.js";

let undone = { of: null, stars: [] };
let refreshSearch = null;

export function startYou() {
	refreshSearch = filmSearch(byId("rate-search"), {
		id: "rate-query",
		label: "Find films you know",
		hint: "Seen any of these?",
		make: (film) => [starInput(titleOf(film), (rating) => rate(film, rating))],
		update: (row, film) => setStarInput(row.lastChild, starsOf(film.movie_id)),
	});
	onClick("undo", undo);
	onClick("clear", () => {
		saveForUndo();
		setStars([]);
		byId("rate-query").focus();
	});
	startPanel();
	startHidden();
	startAccount();
}

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
	setText(byId("recommended-heading"), rated.length ? "You would like next" : "Most seen here");
	if (!isLoading()) recommend(rated.length ? query(id, rated) : null, "you", state, id === null ? [...account.hidden].join() : `${id} ${outbox.version}`, giveFromList);
	else if (outbox.problem) showProblem(byId("recommended-notice"), outbox.problem, loadAccount);
	const lead = rated.length ? `Your list comes from the ${count(rated.length, "film")} you rated; every star moves it.` : "Give stars to a few you know: the list becomes yours.";
	return { heading: "What will you watch next?", lead: `Matinee finds films for you. ${lead}` };
}

// Returns the fields of a request. The service has what the account has, except what is still to be sent.
function query(id, rated) {
	if (id === null) return { history: rated, exclude: [...account.hidden] };
	const late = outbox.events.map((event) => event.movie_id);
	const history = rated.filter((each) => late.includes(each.movie_id));
	return { user_id: id, history, exclude: late.filter((each) => account.hidden.has(each)) };
}

export const starsOf = (id) => starsThatCount(read()).find((each) => each.movie_id === id)?.rating ?? undefined;

// Changes your stars: those of the address or the account, or, where the service keeps stars, of a new account.
function setStars(rated) {
	if (undone.of !== null) keepStars(rated);
	else if (feedback !== "on" || read().rated.length) go({ rated });
	else {
		undone.of = newAccount();
		keepStars(rated);
	}
}

function undo() {
	setStars(undone.stars.pop());
}

function saveForUndo() {
	undone.stars.push(starsThatCount(read()));
}

export function rate(film, rating) {
	films.set(film.movie_id, film);
	saveForUndo();
	const rated = starsThatCount(read());
	const changed = rated.map((each) => (each.movie_id === film.movie_id ? { ...each, rating } : each));
	setStars(rated.some((each) => each.movie_id === film.movie_id) ? changed : [...rated, { movie_id: film.movie_id, rating }]);
}

function giveFromList(film, rating) {
	rate(film, rating);
	showToast(`${titleOf(film)} is in your stars now.`, undo);
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
			const away = button("×", () => remove(film), { class: "remove", "aria-label": `Remove ${titleOf(film)}`, title: "Remove" });
			return filmRow(film, starInput(titleOf(film), (rating) => rate(film, rating)), away);
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
