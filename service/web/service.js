// Asks the service, and says in words what went wrong.

import { askForKey } from "./keys.js";

const PATIENCE_MS = 15_000;
let key = null;

export class Problem extends Error {
  constructor(title, detail, status = 0) {
    super(detail);
    this.title = title;
    this.status = status;
  }
}

/** The JSON of an answer; `path` is a list of its parts, a `body` makes it a POST. Throws Problem. */
export async function ask(path, { query = {}, body, signal } = {}) {
  const url = new URL(path.map(encodeURIComponent).join("/"), document.baseURI);
  url.search = new URLSearchParams(query);
  let refused = false;
  for (;;) {
    const used = key;
    const answer = await send(url, body, signal);
    if (answer.status !== 401) return read(answer);
    if (used !== key) continue; // another request brought a key meanwhile
    const given = await askForKey(refused || used !== null);
    if (given === null) throw new Problem("This service asks for a key", "Nothing is shown without one.", 401);
    key = given;
    refused = true;
  }
}

async function send(url, body, signal) {
  const headers = { Accept: "application/json" };
  if (key !== null) headers["X-API-Key"] = key;
  if (body) headers["Content-Type"] = "application/json";
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(url, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (error.name === "TimeoutError") throw new Problem("No answer came", "The service took too long.");
    throw new Problem("The service cannot be reached", "It may have been stopped, or the connection is gone.");
  }
}

async function read(answer) {
  const document = await answer.json().catch(() => null);
  if (answer.ok && document) return document;
  throw new Problem(...inWords(answer.status, document), answer.status);
}

function inWords(status, problem) {
  const detail = problem?.detail ?? "It did not say why.";
  if (problem?.type === "urn:matinee:queue-full") return ["The service is busy", "As many requests wait as it takes."];
  if (status === 503) return ["The service has no model to answer with", detail];
  if (status === 504) return ["The service took too long", detail];
  return [problem?.title ?? `The service answered ${status}`, detail];
}
