// Ratings in stars: display and input.

import { element, setText } from "./elements.js";
import { scale } from "./live_model.js"; // known when any of this is called

/** Whether the bundle predicts ratings. */
export const hasStars = () => scale !== null;

/** Creates five stars, filled in proportion to a rating, and the number. */
export function shownStars() {
  const glyphs = element("span", { class: "glyphs", "aria-hidden": "true" }, "★★★★★");
  return element("span", { class: "stars" }, glyphs, element("span", { class: "number" }), element("span", { class: "unseen" }));
}

/** Shows a rating in `shownStars`, or nothing for null; `kind` is for screen readers. */
export function showStars(shown, rating, kind) {
  shown.hidden = rating === null;
  if (shown.hidden) return;
  const [glyphs, number, after] = shown.children;
  const zero = Math.min(scale[0], 0);
  glyphs.style.setProperty("--filled", `${Math.round((100 * (rating - zero)) / (scale[1] - zero))}%`);
  setText(number, kind === "given" ? String(rating) : rating.toFixed(1));
  setText(after, ` stars ${kind}`);
}

/** Returns the ratings to choose from: whole ones if at most ten, else five from end to end. */
function choices() {
  const [low, high] = scale ?? [1, 1]; // without ratings one star says: seen
  if (low === high) return [low];
  const whole = Array.from({ length: Math.max(Math.floor(high) - Math.ceil(low) + 1, 0) }, (_, at) => Math.ceil(low) + at);
  return whole.length >= 2 && whole.length <= 10 ? whole : [0, 1, 2, 3, 4].map((step) => low + (step * (high - low)) / 4);
}

let groups = 0;

/** Creates radio buttons that look like stars; they call `give(rating)`. */
export function starInput(title, give) {
  const name = `stars-${(groups += 1)}`;
  const group = element("fieldset", { class: "give" }, element("legend", { class: "unseen" }, `Stars for ${title}`));
  for (const rating of choices()) {
    const radio = element("input", { type: "radio", name, value: String(rating), "aria-label": scale ? `${rating} of ${scale[1]} stars` : "seen" });
    radio.addEventListener("change", () => give(rating));
    group.append(element("label", {}, radio, element("span", { "aria-hidden": "true" }, "★")));
  }
  return group;
}

/** Shows a rating in `starInput`; undefined for none. */
export function setStarInput(group, rating) {
  for (const label of group.querySelectorAll("label")) {
    const radio = label.firstChild;
    radio.checked = Number(radio.value) === rating;
    label.classList.toggle("lit", Number(radio.value) <= rating);
  }
}
