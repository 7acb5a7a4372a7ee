// Controls for filters, order and diversity, synchronized with the address.

import { REPLACE, go, read } from "./address.js";
import { byId, element, keep, setValue } from "./elements.js";
import { request } from "./service.js";

const NO_FILTERS = { genres: [], from: null, to: null, rank: "fit", diversity: 0 };

export function startControls() {
	byId("controls").addEventListener("reset", (event) => {
		event.preventDefault();
		go(NO_FILTERS);
		byId("controls-box").firstElementChild.focus();
	});
	byId("genres").addEventListener("change", () => {
		go({ genres: [...byId("genres").querySelectorAll(":checked")].map((box) => box.value) }, REPLACE);
	});
	for (const [id, field] of [["year-from", "from"], ["year-to", "to"]]) {
		byId(id).addEventListener("input", ({ target }) => {
			if (target.validity.valid) go({ [field]: target.value === "" ? null : Number(target.value) }, REPLACE);
		});
	}
	byId("ranks").addEventListener("change", ({ target }) => go({ rank: target.value }, REPLACE));
	byId("diversity").addEventListener("input", ({ target }) => go({ diversity: Number(target.value) }, REPLACE));
}

// Loads the list of genres. If that fails the other controls work, and a later call tries again.
export async function loadGenres() {
	if (known.length) return;
	const answer = await request(["genres"]).catch(() => ({ items: [] }));
	years = answer.years;
	showGenres(answer.items.map((item) => item.genre));
}

export const yearsInWords = () => (years ? ` Films here are from ${years.first} to ${years.last}.` : "");

export function showControls(state) {
	showGenres();
	setValue(byId("year-from"), String(state.from ?? ""));
	setValue(byId("year-to"), String(state.to ?? ""));
	byId("controls").elements.rank.value = state.rank;
	byId("diversity").value = state.diversity;
	const isFiltered = Object.keys(NO_FILTERS).some((name) => String(state[name]) !== String(NO_FILTERS[name]));
	byId("no-filters").hidden = !isFiltered;
	if (isFiltered) byId("controls-box").open = true;
}

let known = [];
let years = null;

function showGenres(genres = known) {
	known = genres;
	const { genres: chosen } = read();
	// A genre that only the address names is shown too, so that it can be removed.
	keep(byId("genres"), [...known, ...chosen.filter((genre) => !known.includes(genre))], {
		key: (genre) => genre,
		make: (genre) => element("label", {}, element("input", { type: "checkbox", value: genre }), element("span", {}, genre)),
		update: (label, genre) => {
			label.firstChild.checked = chosen.includes(genre);
		},
	});
}
