/* How large the drawing is, and which part of it is seen: by buttons, keys, wheel and two fingers. */
const SMALLEST = 0.05, LARGEST = 3, READABLE = 0.65; // of the size in which letters have 12 pixels
let zoom = null; // null: as wide as the page has room for, as long as it can be read

const natural = () => parts.svg.viewBox.baseVal;
const clear = 16; // the padding of the part that scrolls
const fitting = () => (parts.scroll.clientWidth - clear) / natural().width;
const contained = () => Math.min(fitting(), (parts.scroll.clientHeight - clear) / natural().height, 1);
const scale = () => zoom ?? Math.min(1, Math.max(READABLE, fitting()));

// Give the drawing its size; what was at the point (x, y) of the part that is seen, or in its middle, stays there.
function resize(x = parts.scroll.clientWidth / 2, y = parts.scroll.clientHeight / 2) {
  const before = parts.svg.getBoundingClientRect(), area = parts.scroll.getBoundingClientRect();
  const [across, down] = [(area.left + x - before.left) / before.width, (area.top + y - before.top) / before.height];
  const now = scale();
  parts.svg.setAttribute("width", natural().width * now);
  parts.svg.setAttribute("height", natural().height * now);
  const after = parts.svg.getBoundingClientRect();
  if (before.width) {
    parts.scroll.scrollLeft += after.left + across * after.width - (area.left + x);
    parts.scroll.scrollTop += after.top + down * after.height - (area.top + y);
  }
  parts.size.textContent = `${Math.round(now * 100)} %`;
}
function magnify(factor, x, y) {
  zoom = Math.min(LARGEST, Math.max(SMALLEST, scale() * factor));
  resize(x, y);
}
function fit(size) {
  zoom = size;
  resize();
}
function zoomBar() {
  const button = (label, title, act) => $("button", { onclick: act, title, "aria-label": title }, label);
  parts.size = $("output", { class: "size", "aria-live": "polite" });
  return $("div", { class: "zoom", role: "toolbar", "aria-label": "Size of the drawing" },
    button("−", "Smaller (key -)", () => magnify(1 / 1.25)), parts.size, button("+", "Larger (key +)", () => magnify(1.25)),
    button("Width", "As wide as there is room (key 0)", () => fit(Math.min(1, fitting()))), button("All", "All of it (key 9)", () => fit(contained())));
}
// Keys of the drawing; whether it was one of them.
function zoomKey(event) {
  const pan = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.shiftKey && pan) parts.scroll.scrollBy(...pan.map((x) => 60 * x));
  else if (event.key === "+" || event.key === "=") magnify(1.25);
  else if (event.key === "-") magnify(1 / 1.25);
  else if (event.key === "0") fit(Math.min(1, fitting()));
  else if (event.key === "9") fit(contained());
  else return false;
  return true;
}
// Two fingers, and the wheel with Ctrl, which is also how a touchpad tells of two fingers.
function gestures(area) {
  const place = (x, y) => [x - area.getBoundingClientRect().left, y - area.getBoundingClientRect().top];
  area.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    magnify(Math.exp(-event.deltaY / 200), ...place(event.clientX, event.clientY));
  }, { passive: false });
  let apart = 0;
  const spread = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  area.addEventListener("touchstart", (event) => (apart = event.touches.length === 2 ? spread(event.touches) : 0), { passive: true });
  area.addEventListener("touchmove", (event) => {
    if (event.touches.length !== 2 || !apart) return;
    event.preventDefault();
    const [a, b] = event.touches, now = spread(event.touches);
    magnify(now / apart, ...place((a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2));
    apart = now;
  }, { passive: false });
  return area;
}
addEventListener("resize", () => zoom === null && resize(0, 0));
