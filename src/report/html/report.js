"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  if (data.rows.length === 0) return;
  const COLUMNS = ["finding_id", "class", "severity", "user_id", "legacy_ids", "unified_ids", "action_legacy",
    "action_expected", "action_unified", "tokens_legacy", "tokens_unified", "tokens_effect",
    "created_at_legacy", "created_at_unified", "lag_seconds", "rule", "verdict", "confidence", "cause",
    "evidence", "repair", "status"];
  const AT = Object.fromEntries(COLUMNS.map((name, at) => [name, at]));
  const PAPER_ROWS = 500;
  const SEVERITIES = ["error", "warning", "info"];
  const byId = (id) => document.getElementById(id);
  const table = byId("table");
  const body = table.tBodies[0];

  const cell = (row, name) => {
    const value = row[AT[name]];
    return name === "class" ? data.classes[value][0] : value === null ? "" : value;
  };
  const grouped = (value) => String(value).replace("-", "\u2212").replace(/\B(?=(\d{3})+$)/g, ",");
  const change = (value) => (Number(value) > 0 ? "+" : "") + grouped(value);
  // A long id is shown by its ends; the whole one stands in the tooltip, in the details and on paper.
  const short = (id) => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id);
  const moment = (text) => text.slice(0, 19).replace("T", " ");
  const action = (row) => {
    const expected = cell(row, "action_expected") || cell(row, "action_legacy");
    const found = cell(row, "action_unified");
    return expected && found && expected !== found ? `${expected} → ${found}` : expected || found;
  };
  const at = (row) => cell(row, "created_at_legacy") || cell(row, "created_at_unified");

  const number = (name) => (row) => (cell(row, name) === "" ? null : Number(cell(row, name)));
  const SORT = {
    class: (row) => row[AT.class],
    severity: (row) => SEVERITIES.indexOf(cell(row, "severity")),
    user: (row) => cell(row, "user_id"),
    action,
    tokens_legacy: number("tokens_legacy"),
    tokens_unified: number("tokens_unified"),
    effect: number("tokens_effect"),
    at,
    repair: (row) => cell(row, "repair"),
    status: (row) => cell(row, "status"),
  };
  const FILTERS = { class: "f-class", severity: "f-severity", repair: "f-repair", status: "f-status", cause: "f-cause" };

  const haystacks = new Array(data.rows.length);
  const haystack = (index) => (haystacks[index] ??= COLUMNS.map((name) => cell(data.rows[index], name)).join("\n").toLowerCase());
  const state = { key: null, descending: false, page: 0, size: 50, view: [], paper: false };

  const element = (tag, text, className) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  };

  const fillFilters = () => {
    for (const [name, id] of Object.entries(FILTERS)) {
      const counts = new Map();
      for (const row of data.rows) counts.set(cell(row, name), (counts.get(cell(row, name)) || 0) + 1);
      counts.delete("");
      const titles = new Map(data.classes);
      const values = name === "class" ? data.classes.map(([value]) => value).filter((value) => counts.has(value)) : [...counts.keys()].sort();
      for (const value of values) {
        const option = element("option", `${name === "class" ? titles.get(value) : value} (${grouped(counts.get(value))})`);
        option.value = value;
        byId(id).append(option);
      }
      byId(id).closest("label").hidden = values.length < 2;
    }
  };

  const refresh = () => {
    const words = byId("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = Object.entries(FILTERS).map(([name, id]) => [name, byId(id).value]).filter(([, value]) => value !== "");
    const view = [];
    for (let index = 0; index < data.rows.length; index++) {
      const row = data.rows[index];
      if (wanted.every(([name, value]) => cell(row, name) === value) && words.every((word) => haystack(index).includes(word))) view.push(index);
    }
    if (state.key) {
      const value = SORT[state.key];
      const sign = state.descending ? -1 : 1;
      const keys = new Map(view.map((index) => [index, value(data.rows[index])]));
      view.sort((a, b) => {
        const [left, right] = [keys.get(a), keys.get(b)];
        // Unknown stands last in either direction.
        if (left === right) return a - b;
        if (left === null || left === "") return 1;
        if (right === null || right === "") return -1;
        return left < right ? -sign : sign;
      });
    }
    state.view = view;
    state.page = 0;
    draw();
  };

  const detail = (row) => {
    const list = element("dl");
    const add = (name, text, className) => {
      if (text === "") return;
      const box = element("div", undefined, className);
      const value = element("dd", undefined, /\bids?$/.test(name) ? "id" : "");
      if (text instanceof Node) value.append(text); else value.textContent = text;
      box.append(element("dt", name), value);
      list.append(box);
    };
    for (const name of [...COLUMNS.filter((name) => name !== "evidence"), "evidence"]) {
      const value = cell(row, name);
      if (name === "evidence" && value.includes("; ")) {
        const facts = element("ul");
        for (const fact of value.split("; ")) facts.append(element("li", fact));
        add(name, facts, "wide");
      } else if (name.startsWith("tokens_")) {
        add(name.replace("_", " "), value === "" ? "" : name === "tokens_effect" ? change(value) : grouped(value));
      } else {
        add(name.replaceAll("_", " "), name.endsWith("_ids") ? String(value).replaceAll(";", "; ") : value, name === "evidence" ? "wide" : "");
      }
    }
    const holder = element("tr", undefined, "detail");
    const inside = element("td");
    inside.colSpan = 10;
    inside.append(list);
    holder.append(inside);
    return holder;
  };

  const toggle = (line, button, row) => {
    const open = button.getAttribute("aria-expanded") === "true";
    if (open) line.nextElementSibling.remove(); else line.after(detail(row));
    button.setAttribute("aria-expanded", String(!open));
  };

  const line = (row) => {
    const tr = element("tr", undefined, "row");
    const head = element("th");
    head.scope = "row";
    const button = element("button", data.classes[row[AT.class]][1]);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    head.append(button);
    const severity = element("td");
    severity.append(element("span", cell(row, "severity"), `chip ${cell(row, "severity")}`));
    const user = element("td", state.paper ? cell(row, "user_id") : short(cell(row, "user_id")), "id");
    user.title = cell(row, "user_id");
    const shown = (name, as) => (cell(row, name) === "" ? "" : as(cell(row, name)));
    tr.append(head, severity, user, element("td", action(row)),
      element("td", shown("tokens_legacy", grouped), "n"), element("td", shown("tokens_unified", grouped), "n"),
      element("td", shown("tokens_effect", change), "n"), element("td", moment(at(row)), "t"),
      element("td", cell(row, "repair")), element("td", cell(row, "status")));
    tr.addEventListener("click", (event) => {
      if (event.target.closest("button") || String(getSelection()) === "") toggle(tr, button, row);
    });
    return tr;
  };

  const draw = (from, to) => {
    const pages = Math.max(1, Math.ceil(state.view.length / state.size));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const first = from ?? state.page * state.size;
    const last = Math.min(to ?? first + state.size, state.view.length);
    body.replaceChildren(...state.view.slice(first, last).map((index) => line(data.rows[index])));
    const all = state.view.length === data.rows.length ? "" : ` (of ${grouped(data.rows.length)})`;
    byId("shown").textContent = state.view.length === 0 ? "No finding matches." : `${grouped(first + 1)} to ${grouped(last)} of ${grouped(state.view.length)}${all}`;
    byId("page").textContent = `Page ${grouped(state.page + 1)} of ${grouped(pages)}`;
    byId("first").disabled = byId("previous").disabled = state.page === 0;
    byId("last").disabled = byId("next").disabled = state.page === pages - 1;
    byId("pager").hidden = state.view.length <= 25;
  };

  for (const head of table.tHead.rows[0].cells) {
    const button = element("button", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      state.descending = state.key === head.dataset.key && !state.descending;
      state.key = head.dataset.key;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      refresh();
    });
  }
  const turn = (page) => { state.page = page; draw(); };
  byId("first").addEventListener("click", () => turn(0));
  byId("previous").addEventListener("click", () => turn(state.page - 1));
  byId("next").addEventListener("click", () => turn(state.page + 1));
  byId("last").addEventListener("click", () => turn(Infinity));
  byId("size").addEventListener("change", (event) => { state.size = Number(event.target.value); turn(0); });
  let waiting;
  byId("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
  for (const id of Object.values(FILTERS)) byId(id).addEventListener("change", refresh);
  byId("tools").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
  byId("tools").addEventListener("reset", () => setTimeout(refresh, 0));
  for (const link of document.querySelectorAll("a[data-class]")) {
    link.addEventListener("click", () => { byId("tools").reset(); byId("f-class").value = link.dataset.class; refresh(); });
  }
  addEventListener("beforeprint", () => { state.paper = true; draw(0, PAPER_ROWS); });
  addEventListener("afterprint", () => { state.paper = false; draw(); });
  fillFilters();
  byId("tools").hidden = false;
  refresh();
})();
