// Requests to the service, its errors in words, and what it says of itself.

import { byId, setText } from "./elements.js";

const TIMEOUT_MS = 15_000;
let key = null;

export class Problem extends Error {
	constructor(title, detail, status = 0) {
		super(detail);
		this.title = title;
		this.status = status;
	}
}

// The rating scale; null if the bundle has watches only.
export let scale;
// Whether feedback is kept: "on", "off", or "write-key" where only apps may write; null until known.
export let feedback = null;
let asked = null;

export async function modelKnown() {
	asked ??= request(["model"]);
	try {
		const model = await asked;
		scale = model.manifest.rating_scale;
		feedback = model.feedback;
	} catch (problem) {
		asked = null;
		throw problem;
	}
}

// Returns the JSON of an answer; `path` is a list of segments, a `body` makes it a POST. Throws Problem.
export async function request(path, { query = {}, body, method = body ? "POST" : "GET", signal } = {}) {
	const url = new URL(path.map(encodeURIComponent).join("/"), document.baseURI);
	url.search = new URLSearchParams(query);
	let refused = false;
	for (;;) {
		const used = key;
		const answer = await send(url, method, body, signal);
		if (answer.status !== 401) return read(answer);
		if (used !== key) continue; // another request has set a key
		const given = await promptForKey(refused || used !== null);
		if (given === null) throw new Problem("This service requires a key", "Nothing is shown without one.", 401);
		key = given;
		refused = true;
	}
}

async function send(url, method, body, signal) {
	const headers = { Accept: "application/json" };
	if (key !== null) headers["X-API-Key"] = key;
	if (body) headers["Content-Type"] = "application/json";
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	try {
		return await fetch(url, {
			method,
			headers,
			body: body && JSON.stringify(body),
			signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
		});
	} catch (error) {
		if (signal?.aborted) throw error;
		if (error.name === "TimeoutError") throw new Problem("No answer", "The service took too long.");
		throw new Problem("The service cannot be reached", "It may be stopped, or the connection lost.");
	}
}

async function read(answer) {
	const document = await answer.json().catch(() => null);
	if (answer.ok && document) return document;
	throw new Problem(...inWords(answer.status, document), answer.status);
}

function inWords(status, problem) {
	const detail = status < 500 && problem?.detail ? problem.detail : "Try again in a moment.";
	if (problem?.type === "urn:matinee:queue-full") return ["The service is busy", detail];
	if (problem?.type?.includes(":store-")) return ["Nothing can be kept now", "The service’s store is away or full. It is tried again."];
	if (status === 503) return ["The service is not ready yet", "It is still loading. This page tries again by itself."];
	if (status === 504) return ["The service took too long", detail];
	return [problem?.title ?? `The service answered ${status}`, detail];
}

let prompting = null;

// Returns the typed key, or null; concurrent requests share one dialog.
function promptForKey(wasRefused) {
	prompting ??= new Promise((resolve) => {
		const dialog = byId("key-dialog");
		const input = byId("key");
		setText(byId("key-refused"), wasRefused ? "The service refused this key." : "");
		dialog.returnValue = "none";
		dialog.addEventListener(
			"close",
			() => {
				resolve(dialog.returnValue === "use" ? input.value : null);
				input.value = "";
				prompting = null;
			},
			{ once: true },
		);
		dialog.showModal();
	});
	return prompting;
}
