"""The page of an explanation in a headless Chromium: steps, folds, light, sliders, layout, with explain's numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explain.chromium import Chromium, chromium
from explain.test_explained_numbers import recurrence

import pygraph as pg
from pygraph.explain import Explanation

__all__ = ["chromium"]  # the fixture

READ = """(() => {
  const rows = (id) => [...document.querySelectorAll(`#${id} tbody tr`)].map((row) =>
    [...row.children].map((cell) => (cell.firstChild && cell.firstChild.classList
      && cell.firstChild.classList.contains("todo") ? "" : cell.innerText.trim())));
  return { forward: rows("forward"), reverse: rows("reverse"), gradient: rows("gradient") };
})()"""
OVERLAPS = """(() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window");
  const boxes = [...document.querySelectorAll(".item")].map((item) => [item, item.querySelector("rect").getBBox()]);
  for (const [item, box] of boxes) for (const text of item.querySelectorAll("text")) {
    const t = text.getBBox();
    const across = t.x < box.x || t.x + t.width > box.x + box.width;
    if (t.width && (across || t.y < box.y || t.y + t.height > box.y + box.height + 1))
      found.push(`cut: ${text.textContent}`);
  }
  boxes.forEach(([, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)
      found.push(`overlaps: ${other.textContent}`);
  }));
  for (const cell of document.querySelectorAll("td, th, caption, button, p:not(.hidden), h1, label")) {
    const plain = getComputedStyle(cell).display !== "inline" && !cell.querySelector("pre") && !cell.closest("thead");
    if (plain && cell.scrollWidth > cell.clientWidth + 1) found.push(`cut: ${cell.textContent}`);
  }
  return found;
})()"""


def neuron(w: Any, b: Any) -> Any:
    z = w * 1.001 + b
    yhat = pg.sigmoid(z)
    J = (1.0 - yhat) ** 2
    return J  # noqa: RET504  (names the node)


def layers(count: int) -> Explanation:
    """A graph that is folded by the calls of its layers."""

    def dense(h: Any, w: Any, b: Any) -> Any:
        z = h * w + b
        a = np.tanh(z)
        return a + np.sin(h) * 0.1

    def block(h: Any, w: Any, b: Any) -> Any:
        for _ in range(5):
            h = dense(h, w, b)
        return h

    def net(x: Any, w: Any, b: Any) -> Any:
        for _ in range(count):
            x = block(x, w, b)
        return (1.0 - x) ** 2

    return pg.explain(net, 0.5, 1.1, 0.2)


def shown(browser: Chromium, path: Path, explanation: Explanation, **options: Any) -> None:
    explanation.to_html(path / "page.html")
    browser.open(path / "page.html", **options)
    assert browser.errors == []


def number(text: str) -> float:
    return float(re.findall(r"[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan)$", text)[0])


def test_stepping_forward_and_back_shows_the_numbers_as_they_are_computed(chromium: Chromium, tmp_path: Path) -> None:
    found = pg.explain(neuron, 2.0, -2.0)
    shown(chromium, tmp_path, found)
    assert all("http" not in url for url in chromium.requests)
    chromium.press("Home")
    assert all(row[-1] == "" for row in chromium.run(READ)["forward"])
    for count, step in enumerate(found.steps, 1):
        chromium.press("ArrowRight")
        rows = chromium.run(READ)["forward"]
        assert [row[-1] != "" for row in rows] == [i < count for i in range(len(rows))]
        assert number(rows[count - 1][-1]) == pytest.approx(float(step.value), rel=1e-6)
        assert chromium.run("document.querySelector('.item.now text').textContent") == step.name
    nodes = list(dict.fromkeys(edge.node for edge in found.edges))
    for count, node in enumerate(nodes, 1):
        chromium.click("#step")
        rows = [row for row in chromium.run(READ)["reverse"] if row[-1]]
        edges = [edge for edge in found.edges if edge.node in nodes[:count]]
        assert len(rows) == len(edges)
        for row, edge in zip(rows, edges, strict=True):
            assert number(row[-1]) == pytest.approx(float(edge.accumulated), rel=1e-6)
            assert number(row[-2]) == pytest.approx(float(edge.product), rel=1e-6)
            assert edge.local is not None
            assert number(row[-3]) == pytest.approx(float(edge.local), rel=1e-6)
        assert f"{found.derivatives[node][0]} = " in chromium.run("document.getElementById('said').textContent")
    assert chromium.run("document.getElementById('step').disabled")
    for name, row in zip("wb", chromium.run(READ)["gradient"], strict=True):
        assert number(row[-1]) == pytest.approx(float(found.totals[name]), rel=1e-6)
    chromium.press("ArrowLeft", len(nodes))
    rows = chromium.run(READ)
    assert all(row[-1] == "" for row in rows["reverse"] + rows["gradient"])
    assert all(row[-1] for row in rows["forward"])


def test_a_shared_upstream_derivative_is_there_once(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(neuron, 2.0, -2.0))
    cells = chromium.run("[...document.querySelectorAll('td.upstream')].map((x) => [x.rowSpan, x.innerText])")
    assert [text for span, text in cells if span == 2] == ["dJ/dz = -0.2497498\ncomputed once, used for w * 1.001, b"]


def test_hovering_and_selecting_light_the_node_its_inputs_and_its_ways(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(neuron, 2.0, -2.0))
    lit = (
        "['hot', 'from', 'way'].map((name) => [...document.querySelectorAll(`.item.${name} text:first-of-type`)]"
        ".map((x) => x.textContent).sort())"
    )
    rows = (
        "['hot', 'from', 'way'].map((name) => [...document.querySelectorAll(`#forward tr.${name} th`)]"
        ".map((x) => x.textContent).sort())"
    )
    wanted = [["z"], ["b", "w * 1.001"], ["1 - yhat", "J", "yhat"]]
    chromium.hover(".item[aria-label^='z =']")
    assert chromium.run(lit) == wanted
    assert chromium.run(rows) == wanted
    chromium.hover("h1")
    assert chromium.run(lit) == [[], [], []]
    chromium.hover("#forward tr[data-step='3']")
    assert chromium.run(lit) == wanted
    chromium.click("#forward tr[data-step='3'] th")
    chromium.hover("h1")
    assert chromium.run(lit) == wanted  # it stays
    assert chromium.run("document.querySelector('[aria-pressed=true]').getAttribute('aria-label')").startswith("z = ")


def test_folds_open_and_close_in_the_table_and_in_the_drawing(chromium: Chromium, tmp_path: Path) -> None:
    found = layers(4)
    shown(chromium, tmp_path, found)
    closed = len(chromium.run(READ)["forward"])
    chromium.click("#forward button.fold")
    assert len(chromium.run(READ)["forward"]) > closed
    assert chromium.run("document.querySelector('#forward button.fold').getAttribute('aria-expanded')") == "true"
    chromium.click("#forward button.fold")
    assert len(chromium.run(READ)["forward"]) == closed
    chromium.click(".item.f")
    assert chromium.run("document.querySelectorAll('.crumbs button').length") == 2
    chromium.click(".item.f")
    titles = chromium.run("[...document.querySelectorAll('.item.s text:first-of-type')].map((x) => x.textContent)")
    assert set(titles) <= {step.name for step in found.steps}
    assert titles
    assert chromium.run(OVERLAPS) == []
    # one step goes through a closed fold, and all of them are counted
    chromium.click(".crumbs button")
    chromium.press("Home")
    steps = 0
    while not chromium.run("document.getElementById('step').disabled"):
        chromium.press("ArrowRight")
        steps += 1
        assert steps < 400
    assert number(chromium.run(READ)["gradient"][0][-1]) == pytest.approx(float(found.totals["x"]), rel=1e-6)


def test_a_loop_opens_its_body(chromium: Chromium, tmp_path: Path) -> None:
    found = pg.explain(recurrence, np.array([0.3, -0.2, 0.5]), np.array([1.0, 2.0, -1.0]), step=1)
    shown(chromium, tmp_path, found)
    chromium.click("button.body")
    inner = next(found.inner())
    rows = {row[0]: row[-1] for row in chromium.run(READ)["forward"]}
    for step in inner.steps:
        if not step.value.ndim:
            assert number(rows[step.name]) == pytest.approx(float(step.value), rel=1e-6)
    assert "step 1 of 3" in chromium.run("document.querySelector('.said').textContent").lower()
    assert chromium.run(OVERLAPS) == []
    chromium.click(".crumbs button")
    assert chromium.run("document.querySelector('h1').textContent") == "recurrence"


def test_forward_mode_has_a_page(chromium: Chromium, tmp_path: Path) -> None:
    found = pg.explain(neuron, 2.0, -2.0, mode="forward")
    shown(chromium, tmp_path, found)
    rows = chromium.run(READ)["forward"]
    assert [row[0] for row in rows if row[-1] == "0"] == ["b"]  # no tangent enters there
    assert number(rows[-1][-1]) == pytest.approx(float(found.totals["J"]), rel=1e-6)
    last = chromium.run(READ)["reverse"][-1]
    assert number(last[-1]) == pytest.approx(float(found.totals["J"]), rel=1e-6)


def test_the_keyboard_and_screen_readers_reach_everything(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(neuron, 2.0, -2.0))
    chromium.run("document.querySelector('.item').focus()")
    chromium.press("ArrowDown", 2)
    chromium.press("Enter")
    label = chromium.run("document.activeElement.getAttribute('aria-label')")
    assert chromium.run("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert re.match(r"w \* 1\.001, value 2\.002, dJ/d\(w \* 1\.001\) = -0\.2497498", label)
    assert "w * 1.001" in chromium.run("document.querySelector('#said[aria-live=polite]').textContent")
    chromium.call("Accessibility.enable")
    tree = chromium.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if not node["ignored"] and "role" in node]
    assert {"table", "rowheader", "columnheader", "toolbar", "slider", "button", "heading"} <= set(roles)
    unnamed = [
        node["role"]["value"]
        for node in tree
        if not node["ignored"] and node["role"]["value"] in ("button", "slider", "table") and not node["name"]["value"]
    ]
    assert unnamed == []
    chromium.call("Accessibility.disable")


def matrices(count: int) -> Explanation:
    """A graph of so many layers of matrices."""

    def layer(h: Any, w: Any) -> Any:
        z = h @ w
        return np.tanh(z) * 0.5 + np.sin(h)

    def net(x: Any, w: Any) -> Any:
        for _ in range(count):
            x = layer(x, w)
        return np.sum(x**2)

    random = np.random.default_rng(0)
    return pg.explain(net, random.normal(size=(8, 6)), random.normal(size=(6, 6)))


def a_function_with_a_very_long_name_that_goes_on_and_on(an_argument_with_a_long_name_as_well: Any, y: Any) -> Any:
    another_long_name_for_the_result_of_a_product = an_argument_with_a_long_name_as_well * y
    return another_long_name_for_the_result_of_a_product**2


PAGES: dict[str, Any] = {
    "long names": lambda: pg.explain(a_function_with_a_very_long_name_that_goes_on_and_on, 1e-300, -1.2345678e-200),
    "5": lambda: pg.explain(neuron, 2.0, -2.0),
    "60": lambda: layers(2),
    "1000": lambda: layers(34),
    "1000 matrices": lambda: matrices(200),
}


SHOWN = [(size, width, dark) for size in PAGES for width in (400, 1400) for dark in (False, True)]
FEW = [("5", 1400, True), ("60", 400, False), ("long names", 400, False)]


@pytest.mark.parametrize(
    ("size", "width", "dark"), [*FEW, *(pytest.param(*x, marks=pytest.mark.deep) for x in SHOWN if x not in FEW)]
)
def test_nothing_overlaps_or_is_cut(chromium: Chromium, tmp_path: Path, size: str, width: int, dark: bool) -> None:
    shown(chromium, tmp_path, PAGES[size](), width=width, dark=dark)
    assert chromium.run(OVERLAPS) == []
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    ink, paper = chromium.run("['color', 'backgroundColor'].map((x) => getComputedStyle(document.body)[x])")
    brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (ink, paper)]
    assert (brightness[0] > brightness[1]) == dark
    chromium.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_the_drawing_fits_and_grows_by_buttons_keys_wheel_and_fingers(chromium: Chromium, tmp_path: Path) -> None:
    def size() -> tuple[float, float, float, float]:
        found: list[float] = chromium.run(
            "(() => { const [a, b] = ['.scroll', '.scroll svg'].map((x) => document.querySelector(x));"
            "return [a.clientWidth, a.clientHeight, b.clientWidth, b.clientHeight]; })()"
        )
        return found[0], found[1], found[2], found[3]

    shown(chromium, tmp_path, PAGES["60"](), width=400)
    room, _, width, _ = size()
    assert width <= room  # no box is cut at its side
    assert chromium.run("document.querySelector('.item text').getBoundingClientRect().height") > 7.5
    chromium.click(".zoom button[title^='All']")
    assert size()[2] <= room
    assert size()[3] <= size()[1]
    chromium.press("+", 2)
    larger = size()[2]
    assert larger > width * 0.1
    chromium.press("-")
    assert size()[2] < larger
    chromium.press("0")
    assert size()[2] == pytest.approx(width, rel=0.1)
    assert chromium.run("document.querySelector('.zoom output').textContent").endswith(" %")
    before = size()[2]
    chromium.run("document.querySelector('.scroll').scrollIntoView({block: 'center'})")
    x, y = chromium.run(
        "(() => { const b = document.querySelector('.scroll').getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
    )
    chromium.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-100, modifiers=2)
    assert size()[2] > before
    for kind, apart in (("touchStart", 20), ("touchMove", 30), ("touchMove", 60)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        chromium.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    chromium.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert size()[2] > before * 2
    top = "document.querySelector('.scroll').scrollTop"
    before = chromium.run(top)
    chromium.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowDown", windowsVirtualKeyCode=40, modifiers=8)
    assert chromium.run(top) == before + 60
    assert chromium.errors == []


def test_pictures_without_scripts_have_sizes_to_choose(chromium: Chromium, tmp_path: Path) -> None:
    def net(x: Any, w: Any) -> Any:
        for _ in range(20):
            x = np.tanh(x * w) + np.sin(x)
        return x

    drawing: Any = pg.trace(net, 0.5, 1.1).draw()
    drawing.to_html(tmp_path / "drawing.html")
    chromium.open(tmp_path / "drawing.html", width=400)
    natural = drawing.scene.width
    sizes = (
        "(() => { const s = document.querySelector('.pygraph-scroll');"
        "const p = s.querySelector('svg').getBoundingClientRect();"
        "return [s.clientWidth, p.width, p.height, innerHeight, document.documentElement.scrollWidth]; })()"
    )
    room, width, _, _, page = chromium.run(sizes)
    assert width == pytest.approx(min(natural, max(room, 0.65 * natural)), abs=1)  # it can be read
    assert page <= 400
    chromium.run("document.querySelector('input.fit').focus()")
    chromium.press("ArrowDown")  # all of it
    room, width, height, window, page = chromium.run(sizes)
    assert width <= room + 1
    assert height <= window
    chromium.press("ArrowDown", 2)
    assert chromium.run(sizes)[1] == pytest.approx(2 * natural, abs=1)
    assert chromium.run("document.querySelector('input.large').checked")
    chromium.run("document.querySelector('.pygraph-scroll').focus()")
    chromium.press("ArrowDown", 3)
    chromium.run("new Promise((done) => setTimeout(done, 300))")
    assert chromium.run("document.querySelector('.pygraph-scroll').scrollTop") > 0


def test_what_overlaps_would_be_seen(chromium: Chromium, tmp_path: Path) -> None:
    shown(chromium, tmp_path, pg.explain(neuron, 2.0, -2.0))
    for style in ("svg text { font-size: 24px }", "td span { white-space: nowrap; display: block; width: 900px }"):
        chromium.run(
            f"document.head.append(Object.assign(document.createElement('style'), {{textContent: '{style}'}}))"
        )
        assert any(text.startswith("cut: ") for text in chromium.run(OVERLAPS))
        chromium.run("document.head.lastChild.remove()")
        assert chromium.run(OVERLAPS) == []


def test_a_page_asks_for_nothing_and_holds_any_text(tmp_path: Path, chromium: Chromium) -> None:
    params = {"</script><b>": 2.0}
    found = pg.explain(lambda p: p["</script><b>"] ** 2, params)
    shown(chromium, tmp_path, found)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="|url\(h|@import|https?://(?!www\.w3\.org)', text)
    assert chromium.run("document.querySelectorAll('main b').length") == 1  # the legend's own
    framed = found._repr_html_()
    assert framed.startswith("<iframe srcdoc=")
    assert "<script" not in framed
    (tmp_path / "notebook.html").write_text(f"<!doctype html>{framed}", encoding="utf-8")
    chromium.open(tmp_path / "notebook.html")
    boxes = "document.querySelector('iframe').contentDocument.querySelectorAll('.item').length"
    assert chromium.run(boxes) == len(found.steps)
