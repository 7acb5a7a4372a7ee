// Films in lists: titles, rows, and those that are known by id only, each loaded once.

import { link } from "./address.js";
import { element, latest, setText } from "./elements.js";
import { modelKnown, request } from "./service.js";

export const titleOf = (film) => film.display_title ?? film.title;

export function filmRow(film, ...after) {
	const row = element(
		"li",
		{ class: "film" },
		element("span", { class: "rank", "aria-hidden": "true" }),
		element("div", { class: "body" }, element("a", { class: "title" }), element("span", { class: "soft genres" })),
		...after,
	);
	row.style.setProperty("--hue", hue(film.genres.join() || film.title));
	return row;
}

export function showFilm(row, film) {
	const title = row.querySelector(".title");
	title.href = link({ view: "movie", movie: film.movie_id });
	setText(title, titleOf(film));
	const year = film.year !== null && !titleOf(film).includes(film.year) ? [String(film.year)] : [];
	setText(row.querySelector(".genres"), [...year, ...film.genres].join(" · "));
}

// Returns the title of the catalogue, or null where it is only that with the year after it.
export const otherTitle = ({ title, year, ...film }) => ([titleOf({ title, ...film }), `${titleOf(film)} (${year})`].includes(title) ? null : title);

export const filmKey = (film) => film.movie_id;

// In degrees, alike for films of the same genres.
const hue = (text) => [...text].reduce((sum, letter) => (31 * sum + letter.codePointAt(0)) % 360, 0);

export const films = new Map();

export const loadFilms = latest(async (signal, ids, loaded) => {
	const missing = ids.filter((id) => !films.has(id));
	if (!missing.length) return;
	await modelKnown().catch(() => {}); // the list of recommendations shows the error
	await Promise.all(
		missing.map(async (id) => {
			const found = await request(["movies", id], { signal }).catch(({ status }) => status === 404 && { movie_id: id, title: `No longer here: ${id}`, genres: [], year: null });
			if (found) films.set(id, found);
		}),
	);
	if (!signal.aborted) loaded();
}, () => {});
