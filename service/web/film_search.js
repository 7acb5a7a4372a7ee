// A search for films as one types; with nothing typed, what most people have seen.

import { element, keep, latest, say, setText, count } from "./elements.js";
import { filmKey, filmRow, showFilm } from "./film_row.js";
import { tellNotice, tellProblem } from "./notice.js";
import { ask } from "./service.js";
import { scaleKnown } from "./stars.js";

const MOST = 6;
const HINT = "Many have seen";
const TYPING_MS = 120;

/**
 * Builds a search into an element: `make(film)` gives what comes after a title, `update(row, film)` keeps that
 * right. Returns `refresh()`, which updates every row.
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
      const [answer] = await Promise.all([ask(["movies"], { query: { query: typed, limit: MOST }, signal }), scaleKnown()]);
      if (signal.aborted) return;
      films = answer.items;
      notice.replaceChildren();
      setText(heading, typed ? count(answer.total, "film") : HINT);
      if (!films.length) tellNotice(notice, "No title is like that", "Some letters of a word are enough.");
      if (typed) say(`${count(answer.total, "film")} found`);
      show();
    } catch (problem) {
      if (!signal.aborted) tellProblem(notice, problem, load);
    }
  }

  const load = latest(find);
  const loadTyped = latest(find, () => TYPING_MS);
  input.addEventListener("input", () => loadTyped());
  return () => (films ? show() : load());
}
