// Creates and updates elements. Text from data becomes text nodes and attributes only.

export const byId = (id) => document.getElementById(id);

// Creates an element; attributes and children that are null or false are omitted.
export function element(tag, attributes = {}, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
	}
	made.append(...children.filter((child) => child !== null && child !== false));
	return made;
}

export function button(text, act, attributes = {}) {
	const made = element("button", { type: "button", ...attributes }, text);
	made.addEventListener("click", act);
	return made;
}

export function onClick(id, act) {
	byId(id).addEventListener("click", act);
}

// Changes a text if it differs, so that screen readers announce it once.
export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

export function setValue(input, value) {
	if (document.activeElement !== input && input.value !== value) input.value = value;
}

export function showTerms(list, terms) {
	list.replaceChildren(...terms.map(([term, text]) => element("div", {}, element("dt", {}, ...[term].flat()), element("dd", {}, text))));
}

// Creates a row of a list of bars, filled by `share`.
export function bar(name, share, text, className = null) {
	const line = element("span", { class: "bar", "aria-hidden": "true" });
	line.style.setProperty("--filled", `${100 * share}%`);
	return element("li", { class: className }, element("span", {}, name), line, element("span", {}, text));
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

// Shows items in a list; rows of remaining items are reused, and keep the focus.
export function keep(list, items, { key, make, update }) {
	const focused = list.contains(document.activeElement) ? document.activeElement : null;
	const old = new Map([...list.children].map((row) => [row.dataset.key, row]));
	const places = calm.matches ? new Map() : new Map([...list.children].map((row) => [row, row.offsetTop]));
	items.forEach((item, at) => {
		let row = old.get(key(item));
		if (row) {
			old.delete(key(item));
		} else {
			row = make(item);
			row.dataset.key = key(item);
		}
		update(row, item, at);
		if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
	});
	for (const row of old.values()) row.remove();
	if (focused && document.activeElement !== focused) (focused.isConnected ? focused : list).focus({ preventScroll: true });
	if (places.size) settle(list, places);
}

function settle(list, places) {
	for (const row of list.children) {
		const before = places.get(row);
		const moved = before === undefined ? 0 : before - row.offsetTop;
		if (moved) row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: 500, easing: "cubic-bezier(.2, .8, .2, 1)" });
		else if (before === undefined) row.animate([{ opacity: 0, transform: "translateX(2rem)" }, {}], { duration: 400, easing: "ease-out" });
	}
}

// Runs `work(signal, ...)` after `pause()` ms, and aborts the previous run; what it throws goes to `failed`.
export function latest(work, failed, pause = () => 0) {
	let controller = new AbortController();
	return async (...given) => {
		controller.abort();
		controller = new AbortController();
		const { signal } = controller;
		try {
			const ms = pause();
			if (ms) await wait(ms);
			if (!signal.aborted) await work(signal, ...given);
		} catch (problem) {
			if (!signal.aborted) failed(problem, ...given);
		}
	};
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function announce(text) {
	setText(byId("status"), text);
}

export function count(number, one, many = `${one}s`) {
	return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
