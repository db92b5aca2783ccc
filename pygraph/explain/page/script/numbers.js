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

// Sliders: the program of the view computes all numbers again.
function text(values, type) {
  const number = (x, digits) => {
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
    return String(Number(x.toPrecision(digits)));
  };
  if (!type) return [number(values[0], 7), undefined];
  const list = `[${values.map((x) => number(x, 5)).join(", ")}]`;
  const axes = (type.match(/\[(.*)\]/) || ["", ""])[1].split(", ").length;
  if (values.length === 1 || (axes === 1 && values.length <= 4)) return [list, undefined];
  const norm = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  return [`${type}, norm ${number(norm, 5)}, ${number(Math.min(...values), 5)} to ${number(Math.max(...values), 5)}`, list];
}
function recompute() {
  view.moved = true;
  const v = new Float64Array(view.count);
  view.sliders.forEach(([, place, value]) => (v[place] = value));
  PROGRAMS[view.live](v);
  const read = (places) => places.map((i) => v[i]);
  view.steps.forEach((step) => {
    [step.v, step.b] = text(read(step.at.value), step.t);
    if (step.at.tangent) [step.g, step.gb] = text(read(step.at.tangent), step.t);
  });
  view.edges.forEach((edge) => {
    const node = view.steps[edge.n], operand = view.steps[edge.x], target = reverse ? operand : node;
    edge.u = text(read(edge.at.upstream), reverse ? node.t : operand.t)[0];
    edge.p = text(read(edge.at.product), target.t)[0];
    let below;
    [edge.a, below] = text(read(edge.at.total), target.t);
    [target.g, target.gb] = [edge.a, below]; // the last one is the sum of all
    if (edge.at.local) {
      const local = read(edge.at.local);
      edge.l = text(local, local.every((x) => x === local[0]) ? "" : node.t)[0];
      if (edge.lf === edge.l) delete edge.lf;
    }
  });
  tables();
  update();
  light(pinned);
}
function sliders() {
  if (view.live === undefined) return $("p", { class: "help" }, `No sliders: ${view.no_sliders}.`);
  const labels = view.sliders.filter((slider) => Number.isFinite(slider[2])).map((slider) => {
    const [name, , value] = slider, reach = Math.max(1, 2 * Math.abs(value));
    const output = $("output", {}, String(Number(value.toPrecision(5))));
    const input = $("input", { type: "range", min: value - reach, max: value + reach, step: "any", value, "aria-label": name,
      oninput: () => {
        slider[2] = Number(input.value);
        output.textContent = String(Number(slider[2].toPrecision(5)));
        recompute();
      },
      onkeydown: (event) => {
        const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
        if (!direction) return;
        event.preventDefault(); // a hundredth of the range, which "any" has no step for
        input.value = Number(input.value) + (direction * reach) / 50;
        input.dispatchEvent(new Event("input"));
      } });
    return $("label", {}, $("code", {}, name), input, output);
  });
  return $("fieldset", { class: "sliders" }, $("legend", {}, "Move an input, and everything is computed again"), ...labels);
}
