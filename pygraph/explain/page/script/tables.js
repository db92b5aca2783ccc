/* The tables: values forward, the products of each step, the gradient. */
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

const tangent = (step, k) => numbers(step.d ? withBelow(step.g, step.gb) : ["0"], k, "total", "tangent");

function forwardTable() {
  const rows = visible().map((part) => {
    if (part.fold !== undefined) {
      const step = view.steps[part.last];
      const cells = [header("", part.depth, foldButton(part.fold, part.count)),
        $("td", { role: "cell" }, opened.has(part.fold) ? "" : `… ${step.n}`),
        opened.has(part.fold) ? $("td", { role: "cell" }) : numbers([step.v], part.last, "value", "value"),
        ...(reverse ? [] : [opened.has(part.fold) ? $("td", { role: "cell" }) : tangent(step, part.last)])];
      return $("tr", { role: "row", "data-fold": part.fold }, ...cells);
    }
    const step = view.steps[part.step];
    const body = step.in === undefined ? null : $("button", { class: "body", onclick: (event) => {
      event.stopPropagation();
      show(step.in);
    } }, "open its body");
    return row(part.step, header(step.n, part.depth),
      $("td", { role: "cell", title: step.l === undefined ? null : view.lines[step.l] }, step.f || "", body),
      numbers(withBelow(step.v, step.b), part.step, "value", "value"), ...(reverse ? [] : [tangent(step, part.step)]));
  });
  if (reverse) return table("forward", "Forward: values", ["node", "expression", "value"], [27, 38, 35], rows);
  return table("forward", "Forward: values and tangents", ["node", "expression", "value", "tangent"], [22, 30, 24, 24], rows);
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
