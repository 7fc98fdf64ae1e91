"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (selector) => document.querySelector(selector);
const plotOf = (name) => $(`[data-plot="${name}"]`);
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 30rem)");
const column = Object.fromEntries(data.table.columns.map((name, at) => [name, at]));
const rows = new Map(data.table.keys.map((key, at) => [key, data.table.rows[at]]));
const SIGNS = { circle: "●", "circle-open": "○", square: "■", "triangle-up": "▲", "triangle-down": "▼", diamond: "◆",
  star: "★", cross: "✚", x: "✖", "x-thin": "✕", "square-open": "□", "triangle-up-open": "△", "diamond-open": "◇" };
const STROKES = { solid: "", dash: "6 4", dot: "2 3", dashdot: "6 3 2 3" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Plots, in the colors of the page; it has legends of its own, for plotly's are no keyboard's.

function ticks() {
  const values = [-5, -4, -3, -2, -1, 0, 1, 2].flatMap((power) => (narrow.matches ? [1, 3] : [1, 2, 5]).map((digit) => digit * 10 ** power));
  return { tickvals: values, ticktext: values.map((value) => String(Number(value.toPrecision(1)))) };
}

function themed(layout) {
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clear = "rgba(0,0,0,0)";
  const lines = { gridcolor: color("--line"), zerolinecolor: color("--line"), linecolor: color("--line"), automargin: true };
  const found = { ...layout, showlegend: false, paper_bgcolor: clear, plot_bgcolor: clear,
    font: { color: color("--front"), family: "system-ui, sans-serif", size: 13 }, dragmode: narrow.matches ? false : "zoom",
    margin: { l: 55, r: 12, t: narrow.matches ? 12 : 36, b: 48 }, modebar: { bgcolor: clear, color: color("--soft"), activecolor: color("--link") },
    hoverlabel: { bgcolor: color("--panel"), bordercolor: color("--line"), font: { color: color("--front") }, align: "left" } };
  for (const name of ["xaxis", "yaxis"]) {
    found[name] = { ...layout[name], ...lines, ...(layout[name].type === "log" ? ticks() : {}) };
  }
  return found;
}

const drawn = {};

function draw(name, plot) {
  drawn[name] = plot;
  Plotly.react(plotOf(name), plot.data, themed(plot.layout),
    { responsive: true, displaylogo: false, displayModeBar: narrow.matches ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d"] });
}

function redraw() {
  for (const [name, plot] of Object.entries(drawn)) draw(name, plot);
}

function swatch(trace) {
  const { color, dash } = trace.line ?? { color: typeof trace.marker.color === "string" ? trace.marker.color : "currentColor" };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const add = (tag, attributes, text = "") => {
    const part = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    part.textContent = text;
    svg.append(part);
  };
  for (const [name, value] of Object.entries({ width: 34, height: 16, "aria-hidden": "true" })) svg.setAttribute(name, value);
  if (trace.mode.includes("lines")) add("line", { x1: 0, x2: 34, y1: 8, y2: 8, stroke: color, "stroke-width": 2,
    "stroke-dasharray": STROKES[dash] ?? "" });
  if (trace.mode.includes("markers")) add("text", { x: 17, y: 13, "text-anchor": "middle", fill: color, "font-size": 14 },
    SIGNS[trace.marker.symbol] ?? "●");
  return svg;
}

function legend(name, ...alike) {
  const plots = [name, ...alike];
  $(`[data-legend="${name}"]`).replaceChildren(make("legend", {}, "Curves"));
  drawn[name].data.forEach((trace, at) => {
    if (trace.showlegend === false) return;
    const box = make("input", { type: "checkbox" });
    box.checked = trace.visible !== "legendonly";
    box.addEventListener("change", () => {
      const visible = box.checked ? true : "legendonly";
      for (const plot of plots) {
        const traces = drawn[plot].data;
        const group = traces.flatMap((other, place) => place === at || (trace.legendgroup && other.legendgroup === trace.legendgroup) ? [place] : []);
        for (const place of group) traces[place].visible = visible;
        Plotly.restyle(plotOf(plot), { visible }, group);
      }
    });
    const place = trace.meta?.single ? `[data-singles="${name}"]` : `[data-legend="${name}"]`;
    $(place).append(make("label", {}, box, swatch(trace), trace.name));
  });
  const singles = $(`[data-singles="${name}"]`);
  if (singles && !singles.childElementCount) singles.parentElement.hidden = true;
}

function choices(place, names, choose) {
  const buttons = Object.entries(names).map(([value, title], at) => {
    const button = make("button", { type: "button", "aria-pressed": at === 0 }, title);
    button.dataset.value = value;
    button.addEventListener("click", () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", other === button));
      choose(value, title);
    });
    return button;
  });
  $(place).append(...buttons);
}

// The chosen point: figures, and pictures beside those of the base point nearest in rate.

function picture(source, said) {
  const caption = make("figcaption", { class: !said ? "none" : said[1] === 1 ? "right" : "wrong" },
    said ? `${said[1] === 1 ? "✓" : "✗"} ${said[0] || "(nothing)"}` : "");
  return make("figure", {}, ...(source ? [make("img", { src: source, alt: "" })] : []), caption);
}

function grid(table, shown, run) {
  const columns = [["original", data.pictures[run].originals, data.pictures[run].said[data.pictures[run].plain]],
    ...shown.map(([title, key]) => [title, data.pictures[run].restored[key], data.pictures[run].said[key]])];
  const lines = data.pictures[run].originals.map((_, image) => make("tr", {},
    ...columns.map(([, sources, said]) => make("td", {}, picture(sources?.[image], said?.[image])))));
  table.replaceChildren(make("tr", {}, ...columns.map(([title]) => make("th", { scope: "col" }, title))), ...lines);
}

function select(key) {
  const row = rows.get(key);
  if (!row) return;
  const [run, id] = [Number(key.split(":")[0]), key.slice(key.indexOf(":") + 1)];
  const cell = (name) => (name in column ? row[column[name]] : null);
  const between = (name, digits) => cell(`${name}_low`) === null ? "" :
    ` (95 %: ${cell(`${name}_low`).toFixed(digits)} to ${cell(`${name}_high`).toFixed(digits)})`;
  const { restored, near } = data.pictures[run];
  const lines = [`${cell("on_front") ? "on the front, " : ""}${cell("kind")}, ${cell("codec") ?? ""}`,
    cell("lambda") === null ? "" : `λ ${cell("lambda").toPrecision(3)}, β ${(cell("beta") ?? 0).toPrecision(3)}`,
    cell("bpp") === null ? cell("status") : `${cell("bpp").toFixed(4)} bpp${between("bpp", 4)}`,
    cell("accuracy") === null ? cell("reason") : `accuracy ${cell("accuracy").toFixed(3)}${between("accuracy", 3)}`,
    id, id in restored ? "" : "Pictures are kept of the front and of the base curve; below is what was read."];
  $("#facts").textContent = lines.filter(Boolean).join("\n");
  const base = near[id] && near[id] !== id && cell("kind") !== "uncompressed" ? [["nearest base codec", near[id]]] : [];
  grid($("#pictures"), cell("kind") === "uncompressed" ? [] : [["this point", id], ...base], run);
  const option = [...$("#chosen").options].find((each) => each.value === key);
  if (!option) $("#chosen").prepend(make("option", { value: key }, `${cell("kind")} ${id}`));
  $("#chosen").value = key;
  document.querySelectorAll("#table tbody tr").forEach((each) => each.setAttribute("aria-selected", each.dataset.key === key));
}

function chooser() {
  const front = [...rows].filter(([, row]) => row[column.on_front]).sort(([, a], [, b]) => a[column.bpp] - b[column.bpp]);
  const title = (key, row) => (data.runs.length > 1 ? `${data.runs[Number(key.split(":")[0])]}: ` : "") +
    `front, ${row[column.bpp].toFixed(4)} bpp, accuracy ${row[column.accuracy].toFixed(3)}`;
  $("#chosen").append(...front.map(([key, row]) => make("option", { value: key }, title(key, row))));
  $("#chosen").addEventListener("change", (event) => select(event.target.value));
  select(front.length ? front[Math.floor(front.length / 2)][0] : data.table.keys[0]);
}

function follow(name) {
  const choose = (event) => event.points[0].customdata && select(event.points[0].customdata);
  plotOf(name).on("plotly_hover", choose);
  plotOf(name).on("plotly_click", choose);
}

// Tables: sorted by what their heads are clicked for, and as CSV.

const sorting = { at: null, down: false };

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return sorting.down ? -order : order;
}

function shown() {
  const wanted = $("#kinds").value;
  const kept = [...rows].filter(([, row]) => !wanted || (wanted === "front" ? row[column.on_front] : row[column.kind] === wanted));
  return sorting.at === null ? kept : kept.sort(([, a], [, b]) => compare(a[sorting.at], b[sorting.at]));
}

function text(value) {
  if (typeof value === "boolean") return value ? "✓" : "";
  return value === null ? "" : typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
}

function fill() {
  $("#table tbody").replaceChildren(...shown().map(([key, row]) => {
    const line = make("tr", { "data-key": key }, ...row.map((value, at) => {
      if (at !== column.point_id) return make("td", {}, text(value));
      const button = make("button", { type: "button", title: "Show this point beside the plot" }, text(value));
      button.addEventListener("click", () => select(key));
      return make("td", {}, button);
    }));
    return line;
  }));
}

function heads() {
  const cells = data.table.columns.map((name, at) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => {
      sorting.down = sorting.at === at && !sorting.down;
      sorting.at = at;
      cells.forEach((cell, place) => place === at ? cell.setAttribute("aria-sort", sorting.down ? "descending" : "ascending")
        : cell.removeAttribute("aria-sort"));
      fill();
    });
    return make("th", { scope: "col" }, button);
  });
  $("#table thead").append(make("tr", {}, ...cells));
  const kinds = [...new Set(data.table.rows.map((row) => row[column.kind]))];
  $("#kinds").append(make("option", { value: "front" }, "the front"), ...kinds.map((kind) => make("option", { value: kind }, kind)));
  $("#kinds").addEventListener("change", fill);
}

function csv() {
  const quoted = (value) => /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  const lines = [data.table.columns, ...shown().map(([, row]) => row.map((value) => value === null ? "" : String(value)))];
  return lines.map((line) => line.map(quoted).join(",") + "\n").join("");
}

function download() {
  const link = make("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "points.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}

function plain(place, table) {
  $(place).append(make("thead", {}, make("tr", {}, ...table.columns.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...table.rows.map((row) => make("tr", {}, ...row.map((value) => make("td", {}, String(value)))))));
}

function confusions() {
  const found = data.errors.confusions;
  const longest = Math.max(0, ...Object.values(found).map((each) => each.length));
  const said = (pair) => pair ? `${pair[0]} → ${pair[1]} (${pair[2]})` : "";
  plain("#confusions", { columns: Object.keys(found),
    rows: Array.from({ length: longest }, (_, at) => Object.values(found).map((each) => said(each[at]))) });
}

// All of it.

for (const [name, plot] of Object.entries(data.plots)) draw(name, plot);
["front", "psnr", "plane"].forEach((name) => legend(name));
if (data.runs.length > 1) legend("hypervolume");
["front", "psnr", "plane"].forEach(follow);
choices("#measures", data.measures, (name, title) => {
  const { data: traces, layout } = data.plots.plane;
  for (const trace of traces) if (trace.meta) trace.marker.color = trace.meta[name];
  layout.coloraxis.colorbar.title.text = title;
  draw("plane", data.plots.plane);
});
choices("#over", { seconds: "core-seconds", points: "points" }, (name) => {
  const { data: traces, layout } = data.plots.hypervolume;
  for (const trace of traces) trace.x = trace.meta[name];
  layout.xaxis.title.text = name === "points" ? "points" : "core-seconds of training";
  draw("hypervolume", data.plots.hypervolume);
});

function errorsBy(name) {
  const { substitutions, losses } = data.errors.by[name];
  draw("substitutions", substitutions);
  draw("losses", losses);
  legend("substitutions", "losses");
}

if (data.errors.rate) {
  draw("rate", data.errors.rate);
  legend("rate");
  follow("rate");
  const by = Object.keys(data.errors.by);
  if (by.length) errorsBy(by[0]);
  const titles = { text: "kind of text", height: "height in the image" };
  choices("#dimensions", Object.fromEntries(by.map((name) => [name, titles[name] ?? name])), errorsBy);
  confusions();
} else $("#errors").hidden = true;
if (data.calibration.plots) {
  for (const [name, plot] of Object.entries(data.calibration.plots)) {
    draw(name, plot);
    legend(name);
  }
  follow("confidence");
  plain("#trust", data.calibration.table);
} else for (const part of ["#calibration", "nav [href='#calibration']"]) $(part).hidden = true;
if (data.pictures[0].grid.length) grid($("#like"), data.pictures[0].grid, 0);
else $("#grid").hidden = true;
plain("#costs", data.times);
plain("#two", data.layers);
$("#layers").hidden = !data.layers.rows.length;
heads();
fill();
$("#csv").addEventListener("click", download);
chooser();
dark.addEventListener("change", redraw);
narrow.addEventListener("change", redraw);
