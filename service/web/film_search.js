// Search of films as the user types; the most rated ones without a query.

import { element, keep, latest, announce, setText, count } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { showNotice, showProblem } from "./notice.js";
import { modelKnown } from "./live_model.js";
import { request } from "./service.js";

const MOST = 6;
const HINT = "Most rated";
const TYPING_MS = 120;

/**
 * Builds a search in an element: `make(film)` returns elements after a title, `update(row, film)` updates them.
 * Returns `refresh()`, which updates every row.
 */
export function filmSearch(place, { id, label, make = () => [], update = () => {} }) {
  const input = element("input", { id, type: "search", autocomplete: "off", spellcheck: "false", maxlength: "200", placeholder: "Title, or a part of it" });
  const notice = element("div");
  const heading = element("h2", { id: `${id}-heading` }, HINT);
  const list = element("ul", { class: "films compact", tabindex: "-1", "aria-labelledby": `${id}-heading` });
  place.append(element("form", { role: "search" }, element("label", { for: id }, label), input), heading, notice, list);
  let films = null;

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

  async function find(signal) {
    const typed = input.value.trim();
    try {
      const [answer] = await Promise.all([request(["movies"], { query: { query: typed, limit: MOST }, signal }), modelKnown()]);
      if (signal.aborted) return;
      films = answer.items;
      notice.replaceChildren();
      setText(heading, typed ? count(answer.total, "film") : HINT);
      if (!films.length) showNotice(notice, "No title matches", "Part of a word is enough.");
      if (typed) announce(`${count(answer.total, "film")} found`);
      show();
    } catch (problem) {
      if (!signal.aborted) showProblem(notice, problem, load);
    }
  }

  const load = latest(find);
  const loadTyped = latest(find, () => TYPING_MS);
  input.addEventListener("input", () => loadTyped());
  return () => (films ? show() : load());
}
