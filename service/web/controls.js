// Controls for filters, order and diversity, synchronized with the address.

import { REPLACE, go, read } from "./address.js";
import { byId, element, keep, setText, setValue } from "./elements.js";
import { request } from "./service.js";

const NO_FILTERS = { genres: [], from: null, to: null, rank: "retrieval", diversity: 0 };

export function startControls() {
  byId("controls").addEventListener("reset", (event) => {
    event.preventDefault();
    go(NO_FILTERS);
    byId("genres-chosen").parentElement.focus();
  });
  byId("genres").addEventListener("change", () => {
    const chosen = [...byId("genres").querySelectorAll("input:checked")].map((box) => box.value);
    go({ genres: chosen }, REPLACE);
  });
  for (const [id, field] of [["year-from", "from"], ["year-to", "to"]]) {
    byId(id).addEventListener("input", ({ target }) => {
      if (target.validity.valid) go({ [field]: target.value === "" ? null : Number(target.value) }, REPLACE);
    });
  }
  byId("ranks").addEventListener("change", ({ target }) => go({ rank: target.value }, REPLACE));
  byId("diversity").addEventListener("input", ({ target }) => go({ diversity: Number(target.value) }, REPLACE));
  // Collapsed on narrow screens.
  const narrow = matchMedia("(max-width: 36rem)");
  const fold = () => {
    byId("controls-box").open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);
  fold();
}

/** Loads the list of genres. If that fails the other controls work, and a later call tries again. */
export async function loadGenres() {
  if (known.length) return;
  const { items } = await request(["genres"]).catch(() => ({ items: [] }));
  showGenres(items.map((item) => item.genre));
}

/** Updates the controls from the address. */
export function showControls(state) {
  showGenres();
  setText(byId("genres-chosen"), state.genres.length ? state.genres.join(", ") : "any");
  setValue(byId("year-from"), String(state.from ?? ""));
  setValue(byId("year-to"), String(state.to ?? ""));
  byId("controls").elements.rank.value = state.rank;
  byId("diversity").value = state.diversity;
  setText(byId("diversity-shown"), state.diversity.toFixed(2));
  byId("no-filters").hidden = Object.keys(NO_FILTERS).every((name) => String(state[name]) === String(NO_FILTERS[name]));
}

let known = [];

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
