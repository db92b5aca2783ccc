/* What the page shows and how far it is: elements, the state, the order of events, and steps through them. */
const $ = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + "…" : text);

const page = document.getElementById("page");
const said = $("p", { class: "hidden", "aria-live": "polite", id: "said" });
let view, reverse; // the view that is shown, and whether it has a reverse sweep
let opened = new Set(); // labels of folds that are open in the tables
let drawn = ""; // the fold that is drawn
let done = 0; // how many events have happened
let pinned = null; // the step that stays lit
let playing = null;
const parts = {}; // elements of the page that are asked for again

// What happens in which order: a step is computed forward, then the products of a node in reverse.
function prepare(next) {
  if (next.events) return;
  next.users = next.steps.map(() => []);
  next.steps.forEach((step, i) => step.o.forEach((x) => next.users[x].push(i)));
  for (const edge of next.edges) {
    const [source, target] = [next.steps[edge.n], next.steps[edge.x]];
    edge.u ??= (next.mode === "reverse" ? source : target).g;
    edge.a ??= (next.mode === "reverse" ? target : source).g;
    edge.p ??= edge.a;
  }
  next.events = next.steps.map((_, i) => ({ step: i, edges: [] }));
  next.above_fold = { "": null };
  next.fold_of = [];
  for (const [label, inner] of Object.entries(next.folds))
    for (const part of inner)
      if (typeof part === "string") next.above_fold[part] = label;
      else next.fold_of[part] = label;
  if (next.mode === "reverse") {
    next.edges.forEach((edge, i) => {
      const last = next.events[next.events.length - 1];
      if (last.node === edge.n) last.edges.push(i);
      else next.events.push({ node: edge.n, edges: [i] });
    });
  } else next.edges.forEach((edge, i) => next.events[edge.n].edges.push(i));
  next.shown_at = []; // of each edge, the event that shows it
  next.events.forEach((event, k) => event.edges.forEach((i) => (next.shown_at[i] = k)));
  next.total_at = next.steps.map((_, i) => i); // of each step, the event after which its derivative is complete
  if (next.mode === "reverse") {
    next.total_at = next.steps.map(() => next.steps.length - 1);
    next.edges.forEach((edge, i) => (next.total_at[edge.x] = Math.max(next.total_at[edge.x], next.shown_at[i])));
  }
}
const closed = (step) => {
  let found = null;
  for (let label = view.fold_of[step]; label; label = view.above_fold[label]) if (!opened.has(label)) found = label;
  return found;
};
const drawnBox = (step) => {
  // the part of the fold that is drawn which holds a step: itself, a fold, or null
  let label = view.fold_of[step], below = step;
  while (label !== drawn) {
    if (!label) return null;
    below = label;
    label = view.above_fold[label];
  }
  return below;
};
const subject = (event) => (event.node === undefined ? event.step : event.node);

function move(to) {
  done = Math.max(0, Math.min(view.events.length, to));
  update();
  announce();
  const now = page.querySelector("tr.now");
  if (now) now.scrollIntoView({ block: "nearest" });
  const box = page.querySelector(".item.now");
  if (box) box.scrollIntoView({ block: "nearest", inline: "nearest" });
}
const owner = (k) => {
  const event = view.events[k], fold = closed(subject(event));
  return fold === null ? `event ${k}` : `${event.node === undefined ? "f" : "r"} ${fold}`;
};
function forward() {
  if (done >= view.events.length) return;
  let to = done + 1; // a closed fold is one step
  while (to < view.events.length && owner(to) === owner(done)) to++;
  move(to);
}
function back() {
  if (done <= 0) return;
  let to = done - 1;
  while (to > 0 && owner(to - 1) === owner(done - 1)) to--;
  move(to);
}
function sentence(k) {
  const event = view.events[k], step = view.steps[subject(event)];
  const fold = closed(subject(event));
  if (fold !== null) return `${event.node === undefined ? "through" : "back through"} ${fold}`;
  if (event.node === undefined) {
    const tangent = view.mode === "forward" && step.d ? `, ${step.d} = ${step.g}` : "";
    return `${step.n}${step.f ? " = " + step.f : ""} = ${step.v}${tangent}`;
  }
  const first = view.edges[event.edges[0]];
  const products = event.edges.map((i) => {
    const edge = view.edges[i];
    return `${view.steps[edge.x].d} becomes ${edge.a}`;
  });
  return `${step.d} = ${first.u}, computed once; ${products.join("; ")}`;
}
const announce = () => (said.textContent = done ? sentence(done - 1) : "Nothing is computed yet.");
