// The model view: the live bundle, its age and its metrics.

import { byId, count, element, latest, setText, showTerms } from "./elements.js";
import { showProblem } from "./notice.js";
import { request } from "./service.js";

const NAMES = { ndcg: "NDCG", rmse: "RMSE, stars", ease: "EASE" };
const FALLING = new Set(["rmse", "mae"]);

let isShown = false;

/** Shows the live bundle; loads it each time the view is opened. */
export function showModel(isNew) {
  if (isNew || !isShown) load();
  return { heading: "The model", lead: "The live bundle, and its quality on ratings that were held out of training." };
}

const load = latest(async (signal) => {
  try {
    const model = await request(["model"], { signal });
    if (signal.aborted) return;
    byId("model-notice").replaceChildren();
    show(model);
    isShown = true;
  } catch (problem) {
    if (!signal.aborted) showProblem(byId("model-notice"), problem, load);
  }
});

function show({ bundle_id: bundleId, metrics, manifest }) {
  const { dataset } = manifest;
  const number = (value) => (typeof value === "number" ? value.toLocaleString("en") : value);
  const facts = [
    ["Bundle", bundleId],
    ["Age", age(new Date(manifest.created_utc))],
    ["Trained on", dataset.name],
    ["Ratings", number(dataset.ratings)],
    ["Users", number(dataset.users)],
    ["Films", number(dataset.movies)],
  ].filter(([, fact]) => fact !== undefined && fact !== null);
  showTerms(byId("model-facts"), facts);
  byId("report").hidden = !("report/index.html" in manifest.files);
  showQuality(metrics);
}

function age(created) {
  const minutes = Math.max(0, (Date.now() - created) / 60_000);
  const since = minutes < 60 ? count(Math.floor(minutes), "minute") : minutes < 2880 ? count(Math.floor(minutes / 60), "hour") : count(Math.floor(minutes / 1440), "day");
  return `${since}, made ${created.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}`;
}

function showQuality(metrics) {
  const model = metrics.model;
  byId("quality-scroll").hidden = !model;
  if (!model) {
    setText(byId("quality-summary"), "Not measured.");
    return;
  }
  const seeds = metrics.seeds?.length > 1 ? `, mean of ${metrics.seeds.length} seeds` : "";
  setText(byId("quality-summary"), `The ${metrics.split} split: ${count(metrics.test_ratings, "rating")} held out, ${metrics.train_ratings.toLocaleString("en")} trained on${seeds}. The best of each row is bold where it differs by more than chance.`);
  const baselines = Object.entries(metrics.baselines ?? {});
  const columns = [["Matinee", model], ...baselines.filter(([, of]) => of !== null).map(([name, of]) => [inWords(name), of, metrics.differences?.[name]])];
  const head = element("tr", {}, element("td"), ...columns.map(([name]) => element("th", { scope: "col" }, name)));
  const rows = Object.keys(model).map((measure) => row(measure, columns));
  byId("quality").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

function row(measure, columns) {
  const values = columns.map(([, of]) => of[measure]).map((value) => (typeof value === "number" ? value : null));
  const measured = values.filter((value) => value !== null);
  const best = FALLING.has(measure) ? Math.min(...measured) : Math.max(...measured);
  const most = Math.max(...measured);
  // Bold: the best, if the interval of its difference, the model's to every baseline, leaves out 0.
  const differs = ([, , of]) => of?.[measure]?.low * of?.[measure]?.high > 0;
  const isBold = (value, at) => value === best && measured.length > 1 && (at ? differs(columns[at]) : columns.every((of, at) => !at || values[at] === null || differs(of)));
  const cells = values.map((value, at) => {
    if (value === null) return element("td", {}, "–");
    const text = value.toFixed(4);
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--filled", `${(100 * value) / most}%`);
    return element("td", {}, isBold(value, at) ? element("strong", {}, text) : text, measured.length > 1 && bar);
  });
  const note = FALLING.has(measure) ? element("span", { class: "soft" }, " less is better") : "";
  return element("tr", {}, element("th", { scope: "row" }, inWords(measure), note), ...cells);
}

/** Converts a metric's name, such as `hit_rate_at_10_with_time`, to text. */
function inWords(name) {
  return name
    .replace(/_with_time$/, ", row’s own time")
    .replace(/^top_(\d+)_/, "top-$1 ")
    .replace(/_at_(\d+)/, "@$1")
    .replace(/[a-z]+/, (word) => NAMES[word] ?? word)
    .replaceAll("_", " ");
}
