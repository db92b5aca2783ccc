"use strict";
/* Shows VIEWS: a drawing beside the tables, which light each other; steps forward and back; sliders that run PROGRAMS. */
(() => {
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

  // --- what happens in which order: a step is computed forward, then the products of a node in reverse

  function prepare(next) {
    if (next.events) return;
    next.users = next.steps.map(() => []);
    next.steps.forEach((step, i) => step.o.forEach((x) => next.users[x].push(i)));
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

  // --- the tables

  function visible(label = "", depth = 0, found = []) {
    for (const part of view.folds[label]) {
      if (typeof part === "number") found.push({ step: part, depth });
      else {
        found.push({ fold: part, depth, last: lastOf(part), count: sizeOf(part) });
        if (opened.has(part)) visible(part, depth + 1, found);
      }
    }
    return found;
  }
  const stepsOf = (label) => view.folds[label].flatMap((part) => (typeof part === "string" ? stepsOf(part) : [part]));
  const lastOf = (label) => stepsOf(label).at(-1);
  const sizeOf = (label) => stepsOf(label).length;

  const withBelow = (text, below) => [text, ...(below ? [$("pre", { tabindex: "0" }, below)] : [])];
  const numbers = (children, k, name, label) =>
    $("td", { class: name, role: "cell", "data-label": label, "data-event": k }, $("span", {}, ...children));
  const foldButton = (label, count) =>
    $(
      "button",
      {
        class: "fold",
        "aria-expanded": String(opened.has(label)),
        onclick: (event) => {
          event.stopPropagation();
          toggle(label);
        },
      },
      `${opened.has(label) ? "▾" : "▸"} ${label} (${count} steps)`,
    );

  function row(step, ...cells) {
    return $(
      "tr",
      {
        role: "row",
        tabindex: "-1",
        "data-step": step,
        onmouseenter: () => light(step),
        onmouseleave: () => light(pinned),
        onfocus: () => light(step),
        onclick: () => pin(step),
      },
      ...cells,
    );
  }
  function table(id, caption, headings, widths, body) {
    const head = $("tr", { role: "row" }, ...headings.map((x) => $("th", { scope: "col", role: "columnheader" }, x)));
    const columns = $("colgroup", {}, ...widths.map((x) => $("col", { style: `width:${x}%` })));
    const found = $("table", { id, role: "table" }, $("caption", {}, caption), columns, $("thead", { role: "rowgroup" }, head),
      $("tbody", { role: "rowgroup" }, ...body));
    const first = found.querySelector("tbody tr");
    if (first) first.setAttribute("tabindex", "0");
    return found;
  }
  const header = (text, depth, ...more) =>
    $("th", { scope: "row", role: "rowheader", style: depth ? `padding-left:${8 + 14 * depth}px` : null }, text, ...more);

  function forwardTable() {
    const rows = visible().map((part) => {
      if (part.fold !== undefined) {
        const step = view.steps[part.last];
        const cells = [header("", part.depth, foldButton(part.fold, part.count)),
          $("td", { role: "cell" }, opened.has(part.fold) ? "" : `… ${step.n}`),
          opened.has(part.fold) ? $("td", { role: "cell" }) : numbers([step.v], part.last, "value", "value")];
        return $("tr", { role: "row", "data-fold": part.fold }, ...cells);
      }
      const step = view.steps[part.step];
      const body = step.in === undefined ? null : $("button", { class: "body", onclick: (event) => {
        event.stopPropagation();
        show(step.in);
      } }, "open its body");
      return row(part.step, header(step.n, part.depth),
        $("td", { role: "cell", title: step.l === undefined ? null : view.lines[step.l] }, step.f || "", body),
        numbers(withBelow(step.v, step.b), part.step, "value", "value"));
    });
    return table("forward", "Forward: values", ["node", "expression", "value"], [27, 38, 35], rows);
  }

  const localCell = (edge) => (edge.l === undefined ? "" : `${edge.lp} = ${edge.lf ? edge.lf + " = " : ""}${edge.l}`);
  const productCell = (edge) => (edge.r ? `${edge.r} = ${edge.p}` : edge.p);

  function sweepTable() {
    const rows = [];
    let before = null;
    view.events.forEach((event, k) => {
      if (!event.edges.length) return;
      const fold = closed(subject(event));
      if (fold !== null) {
        if (before !== fold) rows.push($("tr", { role: "row", "data-fold": fold },
          $("td", { role: "cell", colspan: "4" }, foldButton(fold, sizeOf(fold)))));
        before = fold;
        return;
      }
      before = null;
      event.edges.forEach((i, at) => {
        const edge = view.edges[i], cells = [];
        const target = view.steps[reverse ? edge.x : edge.n];
        if (reverse && at === 0) {
          const names = [...new Set(event.edges.map((j) => view.steps[view.edges[j].x].n))];
          const more = (edge.also || []).map(([j, value]) => $("span", { class: "once" }, `${view.steps[j].d} = ${value}`));
          if (names.length > 1) more.push($("span", { class: "once" }, `computed once, used for ${names.join(", ")}`));
          const cell = numbers([`${view.steps[edge.n].d} = ${edge.u}`, ...more], k, "upstream", "upstream");
          cell.rowSpan = event.edges.length;
          cells.push(cell);
        }
        if (!reverse) cells.push(numbers([`${view.steps[edge.x].d} = ${edge.u}`], k, "upstream", "operand"));
        const total = at === event.edges.length - 1 || !reverse ? target.gb : null;
        cells.push(numbers([localCell(edge)], k, "local", "× local"),
          numbers([productCell(edge)], k, "product", "= product"),
          numbers(withBelow(`${target.d} = ${edge.a}`, edge.a === target.g ? total : null), k, "total", "adds up to"));
        const made = row(reverse ? edge.x : edge.n, ...cells);
        made.dataset.edge = i;
        rows.push(made);
      });
    });
    return reverse
      ? table("reverse", `Reverse: derivatives of ${view.symbol}`, ["upstream", "× local", "= product", "added up"], [25, 27, 21, 27], rows)
      : table("reverse", "Tangents", ["operand's tangent", "× local", "= product", "added up"], [24, 28, 21, 27], rows);
  }
  function gradientTable() {
    const rows = view.steps.flatMap((step, i) => {
      if (!step.input || !step.d) return [];
      return [row(i, header(step.d, 0), numbers(withBelow(step.g, step.gb), view.total_at[i], "total", "="))];
    });
    return table("gradient", "Gradient: the sums of all products", ["derivative", "value"], [35, 65], rows);
  }

  // --- the drawing

  const kindText = { f: "fold", o: "from outside of this fold" };
  function drawing() {
    const found = view.drawings[drawn];
    const width = Math.max(found.w, 60) + 8, height = found.h + 8;
    const lines = found.lines.map(([a, b, route]) => {
      const points = [];
      for (let i = 0; i < route.length; i += 2) points.push(`${route[i]} ${route[i + 1]}`);
      return svg("path", { class: "line", d: `M${points.join("L")}`, "marker-end": "url(#head)", "data-from": a, "data-to": b });
    });
    const items = found.items.map(([kind, what, x, middle, w, h, also], at) => {
      const y = also ? middle - 7 : middle; // of the three lines, with a fourth one below
      const step = kind === "s" ? view.steps[what] : null;
      const title = kind === "s" ? step.n : kind === "f" ? what : what.length > 1 ? `${what.length} values` : view.steps[what[0]].n;
      const classes = ["item", kind, step && step.input ? "input" : "", kind === "s" && view.outputs.includes(what) ? "output" : ""];
      const texts = [svg("text", { x, y: kind === "o" ? y + 4 : y - 11 }, cut(title, 22))];
      if (kind !== "o") texts.push(svg("text", { class: "value", x, y: y + 5 }), svg("text", { class: kind === "f" ? "also" : "total", x, y: y + 21 }, kind === "f" ? `${sizeOf(what)} steps` : ""));
      if (also) texts.push(svg("text", { class: "also", x, y: y + 36 }, also));
      const group = svg("g", {
        class: classes.join(" ").trim(), role: "button", tabindex: at ? "-1" : "0", "data-at": at,
        onmouseenter: () => (kind === "s" ? light(what) : null), onmouseleave: () => light(pinned),
        onfocus: () => (kind === "s" ? light(what) : null),
        onclick: () => press(kind, what),
        onkeydown: (event) => {
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            press(kind, what);
          }
        },
      }, svg("title", {}, kind === "s" ? `${title}${step.f ? " = " + step.f : ""}` : `${title}: ${kindText[kind]}`),
        svg("rect", { x: x - w / 2, y: middle - h / 2, width: w, height: h, rx: 6 }), ...texts);
      return group;
    });
    const head = svg("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7,
      orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" }, svg("path", { class: "head", d: "M0 0L8 4L0 8z" }));
    parts.items = items;
    parts.lines = lines;
    return svg("svg", { viewBox: `-4 -4 ${width} ${height}`, width, role: "group", style: `min-width:${Math.min(width, Math.max(280, width * 0.8))}px;max-width:100%`,
      "aria-label": `Drawing of ${drawn || view.title}: arrow keys up and down go through its boxes` }, svg("defs", {}, head), ...lines, ...items);
  }
  function press(kind, what) {
    if (kind === "s") pin(what);
    else if (kind === "f") {
      if (!opened.has(what)) toggle(what);
      draw(what);
    } else draw(view.fold_of[what[0]]);
  }
  function draw(label) {
    drawn = label;
    parts.scroll.replaceChildren(drawing());
    parts.crumbs.replaceChildren(...crumbs());
    update();
  }
  function crumbs() {
    const found = [];
    for (let label = drawn; label; label = view.above_fold[label]) found.unshift([label, () => draw(label)]);
    found.unshift([view.title, () => draw("")]);
    for (let at = view.above; at !== null && at !== undefined; at = VIEWS[at].above) {
      const number = at;
      found.unshift([VIEWS[at].title, () => show(number)]);
    }
    return found.flatMap(([text, act], i) => [...(i ? ["›"] : []),
      $("button", { class: "fold", onclick: act, "aria-current": i === found.length - 1 ? "true" : null }, cut(text, 40))]);
  }

  // --- what is lit: a step, what it is computed from, and its ways to the output

  function light(step) {
    const from = new Set(), way = new Set();
    if (step !== null) {
      view.steps[step].o.forEach((x) => from.add(x));
      const stack = [step];
      while (stack.length) for (const user of view.users[stack.pop()]) if (!way.has(user)) {
        way.add(user);
        stack.push(user);
      }
    }
    for (const line of page.querySelectorAll("tr[data-step]")) {
      const at = Number(line.dataset.step);
      line.classList.toggle("hot", at === step);
      line.classList.toggle("from", from.has(at));
      line.classList.toggle("way", way.has(at));
    }
    const boxes = (steps) => new Set([...steps].map(drawnBox).filter((x) => x !== null));
    const hotBox = step === null ? null : drawnBox(step), fromBoxes = boxes(from), wayBoxes = boxes(way);
    const items = view.drawings[drawn].items;
    const state = items.map(([kind, what]) => {
      const of = (set) => (kind === "o" ? what.some((x) => from.has(x)) && set === fromBoxes : set.has(what));
      return { hot: kind !== "o" && what === hotBox, from: of(fromBoxes), way: of(wayBoxes) };
    });
    parts.items.forEach((item, i) => {
      item.classList.toggle("hot", state[i].hot);
      item.classList.toggle("from", state[i].from && !state[i].hot);
      item.classList.toggle("way", state[i].way && !state[i].hot);
    });
    for (const line of parts.lines) {
      const a = state[Number(line.dataset.from)], b = state[Number(line.dataset.to)];
      line.classList.toggle("from", a.from && b.hot);
      line.classList.toggle("way", (a.hot || a.way) && b.way);
    }
  }
  function pin(step) {
    pinned = pinned === step ? null : step;
    const box = step === null ? null : drawnBox(step);
    if (pinned !== null && box === null) draw(view.fold_of[step]);
    for (const item of parts.items) item.removeAttribute("aria-pressed");
    if (pinned !== null) {
      const at = view.drawings[drawn].items.findIndex(([kind, what]) => kind !== "o" && what === drawnBox(step));
      if (at >= 0) {
        parts.items[at].setAttribute("aria-pressed", "true");
        parts.items[at].scrollIntoView({ block: "nearest", inline: "nearest" });
      }
      const found = view.steps[step];
      said.textContent = `${found.n}${found.f ? " = " + found.f : ""} = ${found.v}${found.d ? `, ${found.d} = ${found.g}` : ""}`;
    }
    light(pinned);
  }

  // --- numbers that are computed by now are shown, all others hidden

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

  // --- sliders: the program of the view computes all numbers again

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
    const labels = view.sliders.map((slider) => {
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

  // --- putting it together

  function tables() {
    const focused = document.activeElement && document.activeElement.closest ? document.activeElement.closest("tr") : null;
    const key = focused && [focused.closest("table").id, focused.dataset.step, focused.dataset.fold];
    parts.tables.replaceChildren(forwardTable(), sweepTable(), ...(reverse ? [gradientTable()] : []));
    if (!key) return;
    for (const line of parts.tables.querySelectorAll(`#${key[0]} tbody tr`))
      if (line.dataset.step === key[1] && line.dataset.fold === key[2]) {
        (line.querySelector("button.fold") || line).focus({ preventScroll: true });
        break;
      }
  }
  function toggle(label) {
    if (opened.has(label)) {
      for (const each of [label, ...Object.keys(view.folds)]) {
        for (let at = each; at; at = view.above_fold[at]) if (at === label) opened.delete(each);
      }
      if (drawn && !opened.has(drawn)) draw(view.above_fold[label]);
    } else opened.add(label);
    tables();
    update();
    light(pinned);
  }
  function play() {
    if (playing !== null) {
      clearInterval(playing);
      playing = null;
    } else {
      if (done === view.events.length) move(0);
      playing = setInterval(() => (done < view.events.length ? forward() : play()), 900);
    }
    parts.play.textContent = playing === null ? "Play" : "Pause";
    parts.play.setAttribute("aria-pressed", String(playing !== null));
  }
  function show(number) {
    if (playing !== null) play();
    view = VIEWS[number];
    prepare(view);
    reverse = view.mode === "reverse";
    opened = new Set();
    drawn = "";
    pinned = null;
    done = view.events.length;
    const button = (name, label, title, act) => (parts[name] = $("button", { onclick: act, title, id: name }, label));
    parts.place = $("span", { class: "place" });
    parts.tables = $("div", { class: "tables" });
    parts.scroll = $("div", { class: "scroll" });
    parts.crumbs = $("nav", { class: "crumbs", "aria-label": "What is drawn" });
    const legend = $("p", { class: "legend" }, $("b", {}, "Select"), " a node or a row: its box and row are lit; what it is computed from is dashed; the ways to the output are bold.");
    page.replaceChildren(
      $("header", {}, $("h1", {}, cut(view.title, 120)), $("p", { class: "said" }, view.said)),
      sliders(),
      $("div", { class: "bar", role: "toolbar", "aria-label": "Steps" },
        button("start", "Start", "Home", () => move(0)), button("back", "◀ Back", "Left arrow", back),
        button("step", "Step ▶", "Right arrow", forward), button("end", "End", "End", () => move(view.events.length)),
        button("play", "Play", "p", play), parts.place),
      $("div", { class: "panes" },
        $("section", { class: "drawing", "aria-label": "Drawing" }, parts.crumbs, parts.scroll, legend), parts.tables),
      $("p", { class: "help" }, "Keys: left and right step back and forward, Home and End go to the start and the end, up and down go through the rows or the boxes, Enter selects and opens, Escape selects nothing, p plays."),
      said,
    );
    tables();
    draw("");
    window.scrollTo(0, 0);
  }
  function among(list, from, direction) {
    const next = list[list.indexOf(from) + direction];
    if (!next) return;
    from.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, pre")) return;
    const line = event.target.closest && event.target.closest("tr"), item = event.target.closest && event.target.closest(".item");
    const direction = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "ArrowRight") forward();
    else if (event.key === "ArrowLeft") back();
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(view.events.length);
    else if (event.key === "p") play();
    else if (event.key === "Escape") pin(pinned);
    else if (direction && item) among(parts.items, item, direction);
    else if (direction && line && line.hasAttribute("tabindex")) among([...line.closest("tbody").querySelectorAll("tr[tabindex]")], line, direction);
    else if (event.key === "Enter" && line && event.target === line) pin(Number(line.dataset.step));
    else return;
    event.preventDefault();
  });
  show(0);
})();
