/* The drawing of one fold, and what is lit in it and in the tables. */
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
  return svg("svg", { viewBox: `-4 -4 ${width} ${height}`, width, height, role: "group",
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
  parts.svg = drawing();
  parts.scroll.replaceChildren(parts.svg);
  zoom = null;
  resize();
  parts.scroll.scrollTo(Math.max(0, (parts.scroll.scrollWidth - parts.scroll.clientWidth) / 2), 0);
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

// What is lit: a step, what it is computed from, and its ways to the output.
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
