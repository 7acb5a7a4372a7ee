// Your account: stars and hidden films that the service keeps, and what waits to be kept.

import { REPLACE, go, refresh } from "./address.js";
import { films } from "./films.js";
import { follow, inLine, outbox, restore, send, store, unguessable } from "./outbox.js";
import { feedback, modelKnown, request, scale } from "./service.js";

const MOST = 500;
const RETRY_MS = 10_000;

// `stars` are ratings by movie id, the oldest first; null until loaded, and without an account.
export const account = { stars: null, hidden: new Set() };
// By movie id the answer that showed it last, and its rank.
const places = new Map();
let retry = null;

export function startAccount() {
	restore();
	follow(loadAccount);
	loadAccount();
}

export const accountId = () => (feedback === "on" ? outbox.id : null);

export const isLoading = () => (feedback === null ? outbox.id !== null || outbox.events.length > 0 : accountId() !== null && account.stars === null);

// Returns the ratings that count: those of the address where it has some, else the account's.
export function starsThatCount({ rated }) {
	if (rated.length || accountId() === null) return rated;
	return [...(account.stars ?? [])].map(([movie_id, rating]) => ({ movie_id, rating }));
}

// Reads what the service keeps, and lays what waits over it; in line, so that nothing is sent between.
export async function loadAccount() {
	await inLine(async () => {
		try {
			await modelKnown();
			const id = accountId();
			const read = id === null ? () => [] : readItems;
			const [history, kept] = await Promise.all([read(["users", id]), read(["users", id, "feedback"])]);
			for (const film of history) films.set(film.movie_id, film);
			account.stars = id === null ? null : new Map(history.reverse().map((film) => [film.movie_id, film.rating ?? (scale === null ? 1 : null)]));
			account.hidden = new Set(kept.filter((event) => event.type === "hide" && event.value !== 0).map((event) => event.movie_id));
			outbox.version += 1;
			outbox.problem = null;
		} catch (problem) {
			outbox.problem = problem;
			account.stars ??= new Map();
		}
		outbox.events.forEach(apply);
	});
	if (outbox.problem) tryLater();
	else await sendAll();
}

async function sendAll() {
	if (accountId() !== null) await send();
	if (outbox.problem) tryLater();
	else refresh();
}

function tryLater() {
	clearTimeout(retry);
	retry = setTimeout(loadAccount, RETRY_MS);
	refresh();
}

export async function readItems(path) {
	const { items } = await request(path, { query: { limit: MOST } }).catch((problem) => {
		if (problem.status !== 404) throw problem;
		return { items: [] }; // nothing is known of the user yet
	});
	return items;
}

function apply({ movie_id: id, type, value }) {
	if (type === "hide") account.hidden[value ? "add" : "delete"](id);
	else if (type === "removed") account.stars?.delete(id);
	else account.stars?.set(id, value ?? 1);
}

function keep(changes) {
	const events = changes.map(toEvent);
	store({ events: [...outbox.events, ...events] });
	events.forEach(apply);
	refresh();
	sendAll();
}

const toEvent = (change) => ({ ...change, ...places.get(change.movie_id), event_id: unguessable() });

function toRating({ movie_id, rating: value }) {
	return scale === null || value === null ? { movie_id, type: "watch" } : { movie_id, type: "rating", value };
}

export function keepStars(rated) {
	const removed = [...account.stars.keys()].filter((id) => !rated.some((each) => each.movie_id === id));
	const given = rated.filter((each) => account.stars.get(each.movie_id) !== each.rating);
	keep([...removed.map((movie_id) => ({ movie_id, type: "removed" })), ...given.map(toRating)]);
}

// Keeps a film out of your lists; with `value` 0 shows it again.
export const hide = (movie_id, value = 1) => keep([{ movie_id, type: "hide", value }]);

export function newAccount() {
	store({ id: unguessable() });
	account.stars = new Map();
	return outbox.id;
}

// Opens an account, new or not, and moves up what this browser has.
export async function openAccount(id, rated) {
	const hidden = outbox.id === null ? outbox.events : [];
	store({ id, events: [...hidden, ...rated.map(toRating).map(toEvent)] });
	account.stars = null;
	go({ rated: [] }, REPLACE);
	await loadAccount();
}

// Has the service forget the account, after what is being sent: later that would be a new user's.
export async function forgetMe() {
	const answer = await inLine(async () => {
		const answered = await request(["users", outbox.id], { method: "DELETE" });
		store({ id: null, events: [] });
		return answered;
	});
	await loadAccount();
	return answer;
}

// Reports to the service that films of an answer were shown (`impression`) or opened (`click`); it may be lost.
export function report(type, { recommendation_id, items }) {
	const id = accountId();
	if (id === null || !items.length) return;
	for (const { movie_id, rank } of items) places.set(movie_id, { recommendation_id, rank });
	const events = items.map(({ movie_id, rank }) => ({ user_id: id, movie_id, type, recommendation_id, rank }));
	inLine(() => id === outbox.id && request(["feedback"], { body: { events } })).catch(() => {});
}
