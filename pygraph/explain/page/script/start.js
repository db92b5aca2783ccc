/* The page as a whole: one view of it, and keys. */
// Putting it together.
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
  let before = ""; // a body that is not computed again is that of the point that was explained
  for (let at = view.above; at !== null && at !== undefined; at = VIEWS[at].above)
    if (VIEWS[at].moved && view.live !== at) before = " These are numbers from before the sliders outside were moved.";
  if (view.live !== undefined && VIEWS[view.live].moved) before = "";
  const button = (name, label, title, act) => (parts[name] = $("button", { onclick: act, title, id: name }, label));
  parts.place = $("span", { class: "place" });
  parts.tables = $("div", { class: "tables" });
  parts.scroll = gestures($("div", { class: "scroll" }));
  parts.crumbs = $("nav", { class: "crumbs", "aria-label": "What is drawn" });
  const legend = $("p", { class: "legend" }, $("b", {}, "Select"), " a node or a row: its box and row are lit; what it is computed from is dashed; the ways to the output are bold.");
  parts.said = $("p", { class: "said" }, view.said + before);
  page.replaceChildren(
    $("header", {}, $("h1", {}, cut(view.title, 120)), parts.said),
    sliders(),
    $("div", { class: "bar", role: "toolbar", "aria-label": "Steps" },
      button("start", "Start", "Home", () => move(0)), button("back", "◀ Back", "Left arrow", back),
      button("step", "Step ▶", "Right arrow", forward), button("end", "End", "End", () => move(view.events.length)),
      button("play", "Play", "p", play), parts.place),
    $("div", { class: "panes" },
      $("section", { class: "drawing", "aria-label": "Drawing" }, parts.crumbs, zoomBar(), parts.scroll, legend), parts.tables),
    $("p", { class: "help" }, "Keys: left and right step back and forward, Home and End go to the start and the end, up and down go through the rows or the boxes, Enter selects and opens, Escape selects nothing, p plays; plus and minus make the drawing larger and smaller, 0 fits its width, 9 all of it, and Shift with an arrow moves it."),
    said,
  );
  if (view.live !== undefined && VIEWS[view.live].moved) refresh();
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
  if (zoomKey(event)) return void event.preventDefault();
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
