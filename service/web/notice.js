// Notices and errors in place of content.

import { byId, element } from "./elements.js";

/** Shows a notice, with elements such as a link after it. */
export function showNotice(place, title, text, ...more) {
  place.replaceChildren(element("div", { class: "notice" }, element("strong", {}, title), element("p", {}, text), ...more));
}

/** Shows an error with a button to try again. */
export function showProblem(place, problem, retry) {
  const again = element("button", { type: "button", class: "strong" }, "Try again");
  again.addEventListener("click", () => {
    byId("heading").focus({ preventScroll: true }); // the button is removed
    retry();
  });
  place.replaceChildren(
    element("div", { class: "notice problem", role: "alert" }, element("strong", {}, problem.title ?? "The page failed"), element("p", {}, problem.message), again),
  );
}
