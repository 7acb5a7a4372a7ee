// The film view: its facts, predicted ratings, and similar films.

import { starsThatCount } from "./account.js";
import { link } from "./address.js";
import { announce, byId, element, keep, latest, showTerms } from "./elements.js";
import { filmKey, filmRow, otherTitle, showFilm, titleOf } from "./films.js";
import { filmSearch } from "./film_search.js";
import { showNotice, showProblem } from "./notice.js";
import { modelKnown, request } from "./service.js";
import { setStarInput, shownStars, showStars, starInput } from "./stars.js";
import { rate, starsOf } from "./you.js";

let refreshSearch = null;
let requested = null;
let film = null;

export function startMovie() {
	refreshSearch = filmSearch(byId("movie-search"), { id: "movie-query", label: "Find a film", hint: "Most rated" });
}

// Shows the film of the address; calls `changed` once its title is loaded.
export function showMovie(state, changed) {
	refreshSearch();
	byId("film").hidden = state.movie === null;
	const next = JSON.stringify([state.movie, state.user, starsThatCount(state)]);
	if (state.movie !== null && next !== requested) {
		requested = next;
		load(state, changed);
	}
	const isShown = film !== null && film.movie_id === state.movie;
	if (isShown) setStarInput(byId("your-stars").lastChild, starsOf(film.movie_id));
	if (state.movie === null) return { heading: "Films", lead: "Choose one to see what is similar." };
	return { heading: isShown ? titleOf(film) : "Films", lead: isShown ? [film.year, ...film.genres].filter(Boolean).join(" · ") : "" };
}

const load = latest(async (signal, state, changed) => {
	const yours = starsThatCount(state);
	const [found, similar, forUser, forYou] = await Promise.all([
		request(["movies", state.movie], { signal }),
		request(["movies", state.movie, "similar"], { signal }),
		state.user === null ? null : predict({ user_id: state.user }, state.movie, signal),
		yours.length === 0 ? null : predict({ history: yours }, state.movie, signal),
		modelKnown(),
	]);
	if (signal.aborted) return;
	if (film?.movie_id !== found.movie_id) {
		byId("your-stars").replaceChildren(element("span", { class: "soft" }, "Seen it?"), starInput(titleOf(found), (rating) => rate(found, rating)));
	}
	film = found;
	byId("movie-notice").replaceChildren();
	byId("film-facts").hidden = false;
	showFacts(found, forUser, forYou, state);
	showSimilar(similar.items);
	announce(`${titleOf(found)}, with ${similar.items.length} similar films`);
	changed();
}, (problem, state, changed) => {
	film = null;
	byId("film-facts").hidden = true;
	if (problem.status === 404) showNotice(byId("movie-notice"), "This film is not here, or no longer", "Look for another one.");
	else showProblem(byId("movie-notice"), problem, () => load(state, changed));
	changed();
});

// Returns a prediction, or null if the bundle does not have one of the films, or no ratings.
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
	if (found.mean_rating !== null) facts.push(["They gave", withStars(found.mean_rating, "mean")]);
	if (forYou) facts.push(["You would give", withStars(forYou.predicted_rating, "predicted")]);
	if (forUser?.known_user) {
		const user = element("a", { href: link({ view: "user" }) }, `User ${state.user}`);
		facts.push([[user, " would give"], withStars(forUser.predicted_rating, "predicted")]);
	}
	if (otherTitle(found)) facts.push(["Catalogued as", found.title]);
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
		make: (each) => filmRow(each, element("div", { class: "figures" }, shownStars())),
		update: (row, each) => {
			showFilm(row, each);
			showStars(row.querySelector(".stars"), each.mean_rating, "mean");
		},
	});
}
