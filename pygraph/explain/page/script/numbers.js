/* Numbers: those that are computed by now are shown; sliders compute them again. */
// Numbers that are computed by now are shown, all others hidden.
function update() {
  const now = done ? view.events[done - 1] : null;
  for (const cell of page.querySelectorAll("[data-event]"))
    cell.firstChild.classList.toggle("todo", Number(cell.dataset.event) >= done);
  const current = now === null ? null : subject(now);
  const currentFold = current === null ? null : closed(current);
  for (const line of page.querySelectorAll("tbody tr")) {
    let lit = false;
    if (now !== null && line.dataset.fold !== undefined)
      lit = line.dataset.fold === currentFold && (line.closest("#forward") !== null) === (now.node === undefined);
    else if (now !== null && line.dataset.edge !== undefined) lit = now.edges.includes(Number(line.dataset.edge));
    else if (now !== null && line.closest("#forward")) lit = now.node === undefined && Number(line.dataset.step) === current;
    line.classList.toggle("now", lit);
  }
  const box = current === null ? null : drawnBox(current);
  view.drawings[drawn].items.forEach(([kind, what, , , width], i) => {
    const item = parts.items[i], room = Math.floor((width - 12) / 7.3); // characters that fit
    item.classList.toggle("now", kind !== "o" && box !== null && what === box);
    const step = kind === "s" ? what : kind === "f" ? lastOf(what) : null;
    if (step === null) return void item.setAttribute("aria-label", `${what.map((x) => view.steps[x].n).join(", ")}, from outside`);
    const data = view.steps[step], [value, total] = [item.querySelector(".value"), item.querySelector(".total")]; // a fold has no total
    value.textContent = step < done ? cut(data.z && data.v.length > room ? data.z : data.v, room) : "";
    const known = data.d && kind === "s" && view.total_at[step] < done;
    if (total) total.textContent = known ? cut(data.z && data.g.length > room - 2 ? `∂ ${data.z}` : `∂ ${data.g}`, room) : "";
    const label = kind === "f" ? `fold ${what}, ${sizeOf(what)} steps` : `${data.n}${data.f ? " = " + data.f : ""}`;
    item.setAttribute("aria-label", `${label}${step < done ? `, value ${data.v}` : ""}${known ? `, ${data.d} = ${data.g}` : ""}`);
  });
  const forwards = view.steps.length;
  const phase = done === 0 ? "nothing computed yet" : done <= forwards ? `forward, ${done} of ${forwards}` : `reverse, ${done - forwards} of ${view.events.length - forwards}`;
  parts.place.textContent = done ? `${phase}: ${cut(sentence(done - 1), 110)}` : phase;
  parts.start.disabled = parts.back.disabled = done === 0;
  parts.step.disabled = parts.end.disabled = done === view.events.length;
}

// Sliders: the program of the view that has them computes all numbers again, those of the bodies in it too.
function text(values, type, kind) {
  const number = (x, digits) => {
    if (kind === "b") return x ? "True" : "False";
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
    return kind ? String(x) : String(Number(x.toPrecision(digits)));
  };
  if (!type) return [number(values[0], 7), undefined];
  const list = `[${values.map((x) => number(x, 5)).join(", ")}]`;
  const axes = (type.match(/\[(.*)\]/) || ["", ""])[1].split(", ").length;
  if (values.length === 1 || (axes === 1 && values.length && values.length <= 4)) return [list, undefined];
  if (!values.length) return [type, undefined];
  if (kind === "b") return [`${type}, ${values.filter(Boolean).length} true`, list];
  const norm = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  const extreme = (f) => number(values.reduce((x, y) => (Number.isNaN(x) ? x : f(x, y))), 5);
  return [`${type}, norm ${number(norm, 5)}, ${extreme(Math.min)} to ${extreme(Math.max)}`, list];
}
const MOST = 200000; // steps of loops that one movement of a slider may take
// The numbers that the sliders give now: those of the program, or why there are none.
function computed(owner) {
  if (owner.numbers) return owner.numbers;
  const v = new Float64Array(owner.count), s = [];
  owner.sliders.forEach(([, place, value]) => (v[place] = value));
  let steps = 0;
  const tick = () => {
    if (++steps > MOST) throw new RangeError(`Not computed: a loop takes more than ${MOST} steps at these numbers.`);
  };
  try {
    PROGRAMS[owner.program](v, s, tick);
    owner.numbers = { v, s };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    owner.numbers = { failed: error.message };
  }
  return owner.numbers;
}
function refresh() {
  const owner = VIEWS[view.live], { v, s, failed } = computed(owner);
  parts.failed.textContent = failed || "";
  if (failed) return;
  const read = (places) => (Array.isArray(places) ? places.map((i) => v[i]) : s[places.s].flat());
  const typed = (type, places) => (Array.isArray(places) || !type ? type : type.replace(/\[\d+/, `[${s[places.s].length}`));
  const shown = (places, step) => text(read(places), typed(step.t, places), step.k);
  view.steps.forEach((step) => {
    [step.v, step.b] = shown(step.at.value, step);
    if (step.at.tangent) [step.g, step.gb] = shown(step.at.tangent, step);
  });
  view.edges.forEach((edge) => {
    const node = view.steps[edge.n], operand = view.steps[edge.x], target = reverse ? operand : node;
    edge.u = shown(edge.at.upstream, reverse ? node : operand)[0];
    edge.p = shown(edge.at.product, target)[0];
    let below;
    [edge.a, below] = shown(edge.at.total, target);
    [target.g, target.gb] = [edge.a, below]; // the last one is the sum of all
    if (edge.at.local) {
      const local = read(edge.at.local);
      edge.l = text(local, local.every((x) => x === local[0]) ? "" : node.t)[0];
      if (edge.lf === edge.l) delete edge.lf;
    }
  });
  if (!view.read) return;
  const [at, count] = view.read.map((place) => (place === null ? null : v[place]));
  const [, , taken, last] = view.read;
  const arrives = view.arrives.map(([name, step, places]) => `${name}${reverse ? " =" : ":"} ${shown(places, view.steps[step])[0]}`).join(", ");
  let title = view.inside[0].replace(/tep \d+ of \d+ \(0 to -?\d+\)/, `tep ${at} of ${count} (0 to ${count - 1})`);
  if (count === 0) title += ", which takes no step at these numbers";
  if (taken !== undefined && Math.max(0, Math.min(at, last)) !== taken) title += "; at these numbers another branch is taken";
  view.said = reverse ? `${title}. What arrives: ${arrives || "no derivative"}.${view.inside[1]}`
    : `${title}. Tangents pushed forward. They enter as ${arrives}.`;
  parts.said.textContent = view.said;
}
let waiting = false; // several movements between two frames are computed once
function recompute() {
  const owner = VIEWS[view.live];
  owner.moved = true;
  owner.numbers = null;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    refresh();
    tables();
    update();
    light(pinned);
  });
}
function slider(entry) {
  const [name, , value, kind] = entry, floating = kind === "f";
  const reach = kind === "b" ? 1 : floating ? Math.max(1, 2 * Math.abs(entry.first ??= value)) : Math.max(5, 2 * Math.abs(entry.first ??= value));
  const first = entry.first ?? value;
  const shownNumber = () => text([entry[2]], "", floating ? "" : kind)[0];
  const output = $("output", {}, shownNumber());
  const range = kind === "b" ? { min: 0, max: 1 } : { min: first - reach, max: first + reach };
  const input = $("input", { type: "range", ...range, step: floating ? "any" : 1, value, "aria-label": name,
    oninput: () => {
      entry[2] = Number(input.value);
      output.textContent = shownNumber();
      recompute();
    },
    onkeydown: (event) => {
      const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!direction || !floating) return; // a browser knows how to step through integers
      event.preventDefault(); // a hundredth of the range, which "any" has no step for
      input.value = Number(input.value) + (direction * reach) / 50;
      input.dispatchEvent(new Event("input"));
    } });
  return $("label", {}, $("code", {}, name), input, output);
}
const FEW = 16; // sliders that are shown at once; more are folded by their arrays
function sliders() {
  parts.failed = $("p", { class: "failed", role: "status" });
  if (view.live === undefined) return $("p", { class: "help" }, `No sliders: ${view.no_sliders}.`);
  const entries = VIEWS[view.live].sliders.filter((entry) => Number.isFinite(entry[2]));
  const legend = $("legend", {}, "Move an input, and everything is computed again");
  if (entries.length <= FEW) return $("fieldset", { class: "sliders" }, legend, ...entries.map(slider), parts.failed);
  const groups = new Map();
  for (const entry of entries) {
    const name = entry[0].replace(/\[[\d,]*\]$/, "");
    groups.set(name, [...(groups.get(name) || []), entry]);
  }
  const folded = [...groups].map(([name, inner]) => inner.length === 1 ? slider(inner[0])
    : $("details", {}, $("summary", {}, $("code", {}, name), ` ${inner.length} numbers`), $("div", { class: "sliders" }, ...inner.map(slider))));
  return $("fieldset", { class: "sliders" }, legend, ...folded, parts.failed);
}
