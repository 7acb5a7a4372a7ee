// Films that are not for you: hidden at once, listed, brought back.

import { account, hide } from "./account.js";
import { refresh } from "./address.js";
import { button, byId, count, keep, setText } from "./elements.js";
import { filmKey, filmRow, films, showFilm, titleOf } from "./films.js";
import { showToast } from "./notice.js";

export function startHidden() {
	byId("hidden-box").addEventListener("toggle", refresh);
}

export function hideButton(film) {
	const act = () => {
		films.set(film.movie_id, film);
		showToast(`${titleOf(film)} is not shown to you again.`, () => hide(film.movie_id, 0));
		byId("toast-undo").focus({ preventScroll: true }); // this button goes
		hide(film.movie_id);
	};
	return button("Not for me", act, { class: "quiet", "aria-label": `Not for me: ${titleOf(film)}` });
}

export const listed = () => (byId("hidden-box").open ? [...account.hidden] : []);

export function showHidden() {
	byId("hidden-box").hidden = account.hidden.size === 0;
	setText(byId("hidden-count"), count(account.hidden.size, "film"));
	keep(byId("hidden-films"), listed().flatMap((id) => films.get(id) ?? []), {
		key: filmKey,
		make: (film) => {
			const act = () => {
				hide(film.movie_id, 0);
				if (account.hidden.size === 0) byId("rate-query").focus();
			};
			return filmRow(film, button("Show again", act, { "aria-label": `Show again: ${titleOf(film)}` }));
		},
		update: showFilm,
	});
}
