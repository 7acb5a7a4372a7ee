// What a part of the page says when it has nothing to show.

import { byId, element } from "./elements.js";

/** Says something kindly, with an element such as a link after it. */
export function tellNotice(place, title, text, ...more) {
  place.replaceChildren(element("div", { class: "notice" }, element("strong", {}, title), element("p", {}, text), ...more));
}

/** Says what went wrong and offers to try again. */
export function tellProblem(place, problem, retry) {
  const again = element("button", { type: "button", class: "strong" }, "Try again");
  again.addEventListener("click", () => {
    byId("heading").focus({ preventScroll: true }); // the button will be gone
    retry();
  });
  place.replaceChildren(
    element("div", { class: "notice problem", role: "alert" }, element("strong", {}, problem.title ?? "The page failed"), element("p", {}, problem.message), again),
  );
}
