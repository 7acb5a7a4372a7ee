// Search of films as the user types; the most rated ones without a query.

import { announce, button, count, element, keep, latest, setText } from "./elements.js";
import { loadGenres, yearsInWords } from "./controls.js";
import { filmKey, filmRow, showFilm } from "./films.js";
import { showNotice, showProblem } from "./notice.js";
import { modelKnown, request } from "./service.js";

const MOST = 8;
const TYPING_MS = 120;

// Builds a search: `make(film)` returns elements after a title, `update(row, film)` updates them; so does what it returns.
export function filmSearch(place, { id, label, hint, make = () => [], update = () => {} }) {
	const input = element("input", { id, type: "search", autocomplete: "off", spellcheck: "false", maxlength: "200", placeholder: label, "aria-label": label });
	const notice = element("div");
	const heading = element("h2", { id: `${id}-heading` }, hint);
	const others = button("Others", showOthers);
	const list = element("ul", { class: "films cards", tabindex: "-1", "aria-busy": "true", "aria-labelledby": `${id}-heading` });
	place.append(element("form", { role: "search" }, input), element("div", { class: "row" }, heading, others), notice, list);
	let films = null;
	let total = 0;
	let offset = 0;
	let isTyping = false;

	function show() {
		keep(list, films, {
			key: filmKey,
			make: (film) => filmRow(film, ...make(film)),
			update: (row, film) => {
				showFilm(row, film);
				update(row, film);
			},
		});
	}

	function showOthers() {
		offset += MOST;
		if (offset >= total) offset = 0;
		list.scrollLeft = 0;
		load();
	}

	async function find(signal) {
		const typed = input.value.trim();
		const [answer] = await Promise.all([request(["movies"], { query: { query: typed, limit: MOST, offset }, signal }), modelKnown()]);
		if (signal.aborted) return;
		({ items: films, total } = answer);
		notice.replaceChildren();
		setText(heading, typed ? count(total, "film") : hint);
		others.hidden = total <= MOST;
		if (typed) announce(`${count(total, "film")} found`);
		show();
		list.removeAttribute("aria-busy");
		if (films.length) return;
		await loadGenres();
		if (!signal.aborted) showNotice(notice, "No film here has that title", `Part of a word is enough.${yearsInWords()}`);
	}

	const load = latest(find, (problem) => {
		list.removeAttribute("aria-busy");
		showProblem(notice, problem, load);
	}, () => (isTyping ? TYPING_MS : 0));
	input.addEventListener("input", () => {
		offset = 0;
		isTyping = true;
		load();
	});
	return () => (films ? show() : load());
}
