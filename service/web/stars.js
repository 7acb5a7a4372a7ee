// Ratings in stars: display and input.

import { element, setText } from "./elements.js";
import { scale } from "./service.js";

export const hasStars = () => scale !== null;

export function shownStars() {
	const glyphs = element("span", { class: "glyphs", "aria-hidden": "true" }, "★★★★★");
	return element("span", { class: "stars" }, glyphs, element("span", { class: "number" }), element("span"));
}

// Shows a rating in `shownStars`, or nothing for null; `kind` is "given", "predicted" or "mean".
export function showStars(shown, rating, kind) {
	shown.hidden = rating === null;
	if (shown.hidden) return;
	const [glyphs, number, after] = shown.children;
	fill(glyphs, rating, Math.min(scale[0], 0), scale[1]);
	setText(number, kind === "given" ? String(rating) : rating.toFixed(1));
	setText(after, kind === "given" ? " stars given" : ` ${kind}`);
	after.className = kind === "given" ? "unseen" : "soft";
}

function fill(node, rating, zero, full) {
	node.style.setProperty("--filled", `${Math.round(100 * Math.min(Math.max((rating - zero) / (full - zero || 1), 0), 1))}%`);
}

// Returns the ratings to choose from: whole ones if at most ten, else five from end to end.
function choices() {
	const [low, high] = scale ?? [1, 1]; // without ratings one star says: seen
	if (low === high) return [low];
	const whole = Array.from({ length: Math.max(Math.floor(high) - Math.ceil(low) + 1, 0) }, (_, at) => Math.ceil(low) + at);
	return whole.length >= 2 && whole.length <= 10 ? whole : [0, 1, 2, 3, 4].map((step) => low + (step * (high - low)) / 4);
}

let groups = 0;

// Creates radio buttons that look like stars; they call `give(rating)`. Where the film then `leaves`, a rating that was
// chosen by keyboard is given by Enter, or by leaving the stars.
export function starInput(title, give, leaves = false) {
	const name = `stars-${(groups += 1)}`;
	const group = element("fieldset", { class: "give" }, element("legend", { class: "unseen" }, `Stars for ${title}`));
	let isPressed = !leaves;
	let chosen = null;
	const commit = () => {
		if (chosen !== null) give(chosen);
		chosen = null;
	};
	group.addEventListener("pointerdown", () => {
		isPressed = true;
	});
	group.addEventListener("focusout", ({ relatedTarget }) => group.contains(relatedTarget) || commit());
	group.addEventListener("keydown", ({ key }) => {
		isPressed = !leaves;
		if (key === "Enter") commit();
	});
	for (const rating of choices()) {
		const radio = element("input", { type: "radio", name, value: String(rating), "aria-label": scale ? `${rating} of ${scale[1]} stars` : "seen" });
		radio.addEventListener("change", () => {
			chosen = rating;
			if (isPressed) commit();
			else setStarInput(group, rating);
		});
		group.append(element("label", {}, radio, element("span", { "aria-hidden": "true" }, "★")));
	}
	return group;
}

// Shows a rating in `starInput`, undefined for none; then stars may show one that was not given.
export function setStarInput(group, rating, other = null) {
	let below = 0;
	for (const label of group.querySelectorAll("label")) {
		const [radio, star] = label.children;
		radio.checked = Number(radio.value) === rating;
		label.classList.toggle("lit", Number(radio.value) <= rating);
		if (other !== null) fill(star, other, below, Number(radio.value));
		below = Number(radio.value);
	}
}
