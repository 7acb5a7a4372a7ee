// The page's state in the address, after the #, which browsers do not send.

const RANKS = ["fit", "rating", "blend"];
const VIEWS = ["you", "movie", "user", "model"];
const FORMER_VIEWS = { stranger: "you" }; // in links shared before
const listeners = [];

// Parses the address; null where nothing is chosen.
export function read() {
	const fields = new URLSearchParams(location.hash.slice(1));
	const rated = new Map();
	for (const each of fields.getAll("rated")) {
		const colon = each.indexOf(":");
		const rating = Number(each.slice(0, colon));
		if (colon > 0 && Number.isFinite(rating)) rated.set(each.slice(colon + 1), rating);
	}
	const diversity = Number(fields.get("diversity"));
	return {
		view: oneOf(VIEWS, FORMER_VIEWS[fields.get("view")] ?? fields.get("view")),
		user: fields.get("user"),
		movie: fields.get("movie"),
		rated: [...rated].map(([movie_id, rating]) => ({ movie_id, rating })), // as in a request's history
		genres: [...new Set(fields.getAll("genre"))],
		from: year(fields.get("from")),
		to: year(fields.get("to")),
		rank: oneOf(RANKS, fields.get("rank")),
		as: fields.get("as") || null, // an account to open; `link` leaves it out
		diversity: diversity >= 0 && diversity <= 1 ? diversity : 0,
	};
}

export function link(changes) {
	const state = { ...read(), ...changes };
	const fields = new URLSearchParams({ view: state.view });
	if (state.user !== null) fields.set("user", state.user);
	if (state.movie !== null && state.view === "movie") fields.set("movie", state.movie);
	for (const each of state.rated) fields.append("rated", `${each.rating}:${each.movie_id}`);
	for (const genre of state.genres) fields.append("genre", genre);
	if (state.from !== null) fields.set("from", state.from);
	if (state.to !== null) fields.set("to", state.to);
	if (state.rank !== RANKS[0]) fields.set("rank", state.rank);
	if (state.diversity > 0) fields.set("diversity", state.diversity);
	return `#${fields}`;
}

// For text fields and sliders: adds no history entry.
export const REPLACE = "replaceState";

export function go(changes, how = "pushState") {
	const to = link(changes);
	if (to === location.hash) return;
	history[how](null, "", to);
	notify();
}

export function follow(listener) {
	listeners.push(listener);
	if (listeners.length === 1) addEventListener("popstate", notify);
	listener(read());
}

// Shows again what shows something of your account.
export function refresh() {
	if (read().view === "you" || read().view === "movie") notify();
}

function notify() {
	const state = read();
	for (const listener of listeners) listener(state);
}

function oneOf(choices, chosen) {
	return choices.includes(chosen) ? chosen : choices[0];
}

function year(text) {
	return /^\d{1,4}$/.test(text ?? "") ? Number(text) : null;
}
