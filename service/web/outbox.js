// Events that wait to be sent, and the account's id, in this browser's storage.

import { request } from "./service.js";

const NAME = "matinee";
const MOST_EVENTS = 1_000;

// Without an account events wait for one. `version` rises when the service keeps more.
export const outbox = { id: null, events: [], version: 0, problem: null };
let line = Promise.resolve();

// Reads what this window, or another one, has stored.
export function restore() {
	try {
		const { id = null, events = [] } = JSON.parse(localStorage.getItem(NAME)) ?? {};
		Object.assign(outbox, { id, events });
	} catch {} // storage is closed to this page: memory has to do
}

export function store(changes) {
	const { id, events } = Object.assign(outbox, changes);
	try {
		if (id === null && !events.length) localStorage.removeItem(NAME);
		else localStorage.setItem(NAME, JSON.stringify({ id, events }));
	} catch {} // as above
}

// Calls `changed` when another window has stored something, and when the network is back.
export function follow(changed) {
	addEventListener("storage", () => {
		restore();
		changed();
	});
	addEventListener("online", changed);
}

// Returns a random text of 128 bits (`crypto.randomUUID` needs HTTPS).
export const unguessable = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export const unkept = () => (outbox.problem ? outbox.events : []);

// Runs `work` after all that is being sent.
export function inLine(work) {
	const done = line.then(work);
	line = done.catch(() => {});
	return done;
}

// Sends what waits. Does not throw: `problem` is why that failed.
export async function send() {
	await inLine(async () => {
		const { id, events: all } = outbox;
		const events = all.slice(0, MOST_EVENTS);
		if (id === null || !events.length) return;
		const { rejected } = await request(["feedback"], { body: { events: events.map((event) => ({ ...event, user_id: id })) } });
		store({ events: outbox.events.filter((event) => !events.some((sent) => sent.event_id === event.event_id)) });
		outbox.version += 1;
		outbox.problem = rejected.length ? { title: "The service refused what you did", message: rejected[0].error.detail } : null;
		if (outbox.events.length) send();
	}).catch((problem) => {
		outbox.problem = problem;
	});
}
