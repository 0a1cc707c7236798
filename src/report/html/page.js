"use strict";
// What a reader does with the page: search, filter, sort, turn, open a finding or a user. The findings
// themselves are the engine's; this draws what it answers.
(() => {
  const PAPER_ROWS = 500;
  const COLUMNS = ["finding_id", "class", "severity", "user", "legacy_ids", "unified_ids", "action_legacy",
    "action_expected", "action_unified", "tokens_legacy", "tokens_unified", "effect", "created_at_legacy",
    "created_at_unified", "lag_seconds", "rule", "verdict", "confidence", "cause", "repair", "status", "evidence"];
  const NAMES = { user: "user_id", effect: "tokens_effect" };
  const FILTERS = ["class", "severity", "repair", "status", "cause"];
  // The same letters as in escape.rs: what has no shape, or turns the text around it, is written out.
  const HIDDEN = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

  const byId = (id) => document.getElementById(id);
  const facts = JSON.parse(byId("facts").textContent);
  const table = byId("table");
  const body = table?.tBodies[0];
  const state = { user: "", key: null, isDescending: false, page: 0, size: 50, length: 0, rows: [], paper: null, isPaper: false, isReady: false };
  let causes = [];

  const visible = (text) => String(text).replace(HIDDEN, (letter) => `‹U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
  const grouped = (value) => String(value).replace("-", "\u2212").replace(/\B(?=(\d{3})+$)/g, ",");
  const change = (value) => (/^[1-9]/.test(value) ? "+" : "") + grouped(value);
  // A long id is shown by its ends; the whole one stands in the tooltip, in the details and on paper.
  const short = (id) => (id.length > 20 && !state.isPaper ? `${id.slice(0, 8)}…${id.slice(-6)}` : id);
  const moment = (micros) => {
    const at = new Date(micros / 1000);
    return Number.isNaN(at.getTime()) ? "" : at.toISOString().replace("T", " ").replace(/\..*/, "");
  };
  const element = (tag, given = {}, ...inside) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (value !== "" && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...inside);
    return node;
  };
  const words = (text) => element("bdi", {}, visible(text));
  const address = (name, value) => `#${new URLSearchParams({ [name]: value })}`;

  // --- the engine, in a worker where there is one ---

  const waiting = new Map();
  let asked = 0;
  const progress = (news) => {
    if (news.searched) say(`Searching: ${Math.floor(news.searched * 100)} %, ${grouped(news.found)} found …`);
  };
  const startWorker = () => {
    const source = new Blob([byId("engine").textContent, "\nEngine.serve(self);"], { type: "text/javascript" });
    const url = URL.createObjectURL(source);
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => {
      if (data.progress) { progress(data.progress); return; }
      const { done, failed } = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) failed(new Error(data.error)); else done(data.answer);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { failed } of waiting.values()) failed(new Error("no worker"));
      waiting.clear();
    };
    return (name, ...given) => new Promise((done, failed) => {
      waiting.set(++asked, { done, failed });
      worker.postMessage({ id: asked, name, given });
    });
  };
  let call;
  const load = async () => {
    try {
      call = startWorker();
      await call("begin", facts);
    } catch {
      // Some browsers allow a page from a disk no worker: then the same is done here.
      const engine = Engine.create(progress);
      call = async (name, ...rest) => engine[name](...rest);
      await call("begin", facts);
    }
    for (const [kind, name] of [["findings", "addFindings"], ["people", "addPeople"]]) {
      for (const node of document.querySelectorAll(`script.${kind}`)) {
        const unpacked = await call(name, node.textContent);
        if (unpacked < facts.held) say(`Unpacking: ${grouped(unpacked)} of ${grouped(facts.held)} …`);
        node.remove();
      }
    }
    return call("finish");
  };

  // --- the table ---

  const say = (text) => { if (table) byId("shown").textContent = text; };
  let tasks = 0;
  const working = (task) => async (...given) => {
    table?.setAttribute("aria-busy", String(++tasks > 0));
    try {
      return await task(...given);
    } finally {
      table?.setAttribute("aria-busy", String(--tasks > 0));
    }
  };
  const valueOf = (name) => byId(`f-${name}`).value;
  const wanted = () => {
    const filters = {};
    for (const name of FILTERS) {
      if (valueOf(name) !== "") filters[name] = name === "cause" ? causes[Number(valueOf(name))] : Number(valueOf(name));
    }
    if (state.user !== "") filters.user = state.user;
    return filters;
  };

  const refresh = working(async () => {
    if (!table || !state.isReady) return;
    const answer = await call("ask", { text: byId("q").value, filters: wanted(), key: state.key, isDescending: state.isDescending });
    // A newer question is on its way.
    if (answer === null) return;
    state.length = answer.length;
    state.page = 0;
    await draw();
  });

  const draw = working(async () => {
    const pages = Math.max(1, Math.ceil(state.length / state.size));
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    const first = state.page * state.size;
    state.rows = await call("rows", first, first + state.size);
    body.replaceChildren(...state.rows.map(line));
    sayShown(first, state.rows.length);
    byId("page").value = state.page + 1;
    byId("page").max = pages;
    byId("pages").textContent = `of ${grouped(pages)}`;
    byId("first").disabled = byId("previous").disabled = state.page === 0;
    byId("last").disabled = byId("next").disabled = state.page === pages - 1;
    byId("pager").hidden = state.length <= 25;
    // Printing cannot wait for an answer.
    state.paper = await call("rows", 0, PAPER_ROWS);
  });

  const sayShown = (first, count) => {
    const all = state.length === facts.held ? "" : ` (of ${grouped(facts.held)})`;
    say(state.length === 0 ? "No finding matches." : `${grouped(first + 1)} to ${grouped(first + count)} of ${grouped(state.length)}${all}`);
  };

  const line = (row) => {
    const title = facts.classes[row.class][1];
    const severity = facts.severities[row.severity];
    const button = element("button", { type: "button", "aria-expanded": "false" }, title);
    const user = row.user === "" ? "" : element("a", { href: address("user", row.user), title: visible(row.user) }, words(short(row.user)));
    const amount = (text, as) => element("td", { class: "n" }, text === "" ? "" : as(text));
    const tr = element("tr", { class: "row" }, element("th", { scope: "row" }, button),
      element("td", {}, element("span", { class: `chip ${severity}` }, severity)), element("td", { class: "id" }, user),
      element("td", {}, words(row.action)), amount(row.tokens_legacy, grouped), amount(row.tokens_unified, grouped),
      amount(row.effect, change), element("td", { class: "t" }, moment(row.at)),
      element("td", {}, facts.repairs[row.repair]), element("td", {}, facts.statuses[row.status]));
    tr.addEventListener("click", (event) => {
      if (!event.target.closest("a") && (event.target.closest("button") || String(getSelection()) === "")) toggle(tr, button, row.row);
    });
    return tr;
  };

  const toggle = working(async (tr, button, row) => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) { tr.nextElementSibling?.matches(".detail") && tr.nextElementSibling.remove(); return; }
    const finding = await call("detail", row);
    if (button.getAttribute("aria-expanded") === "true" && tr.isConnected) tr.after(detail(finding));
  });

  const detail = (finding) => {
    const list = element("dl");
    for (const name of COLUMNS) {
      const value = name === "class" ? facts.classes[finding.class][0] : name === "severity" ? facts.severities[finding.severity]
        : name === "repair" ? facts.repairs[finding.repair] : name === "status" ? facts.statuses[finding.status] : finding[name];
      if (value === "") continue;
      const shown = name === "effect" ? change(value) : name.startsWith("tokens_") ? grouped(value)
        : name === "finding_id" ? element("a", { href: address("finding", value) }, value)
        : name === "user" ? element("a", { href: address("user", value) }, words(value))
        : name === "evidence" && value.includes("; ") ? element("ul", {}, ...value.split("; ").map((fact) => element("li", {}, words(fact))))
        : words(name.endsWith("_ids") ? value.replaceAll(";", "; ") : value);
      const isId = name === "user" || /_ids?$/.test(name);
      list.append(element("div", { class: name === "evidence" ? "wide" : "" },
        element("dt", {}, (NAMES[name] ?? name).replaceAll("_", " ")), element("dd", { class: isId ? "id" : "" }, shown)));
    }
    return element("tr", { class: "detail" }, element("td", { colspan: "10" }, list));
  };

  const turn = (page) => { state.page = page; return draw(); };

  // --- one user ---

  // The same classes as in figures.rs: a number is set smaller before it is broken.
  const size = (text) => (text.length <= 10 ? "" : text.length <= 14 ? " long" : text.length <= 24 ? " long longer" : " long longest");
  const fact = (name, text) => element("div", { class: `figure${size(text)}` }, element("dt", {}, name), element("dd", {}, element("strong", {}, text)));
  const smallTable = (caption, heads, rows) => element("div", { class: "card scroll", role: "region", tabindex: "0", "aria-label": caption },
    element("table", {}, element("thead", {}, element("tr", {}, ...heads.map(([text, kind]) => element("th", { scope: "col", class: kind }, text)))),
      element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell, at) => element(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : { class: heads[at][1] }, cell)))))));
  const openUser = async (id) => {
    const section = byId("user");
    state.user = id;
    byId("user-title").replaceChildren("User ", element("span", { class: "id" }, words(id)));
    const { balance, groups } = await call("person", id);
    const parts = [];
    if (balance) {
      const names = ["granted", "deducted", "used", "recomputed", "corrected", "stored", "gap", "unexplained"];
      const known = names.filter((name) => balance[name] !== "");
      parts.push(element("dl", { class: "figures" }, ...known.map((name) => fact(name, name === "gap" || name === "unexplained" ? change(balance[name]) : grouped(balance[name])))));
      if (balance.causes.length > 0) {
        const lines = balance.causes.map(([cause, tokens]) => [facts.gap_causes[Number(cause)], change(tokens)]);
        if (!["0", ""].includes(balance.unexplained)) lines.push(["Unexplained", change(balance.unexplained)]);
        parts.push(element("h3", {}, "Why the stored balance differs ", element("small", {}, `explanation: ${balance.explanation}`)), smallTable("Causes of the gap", [["cause", ""], ["tokens", "n"]], lines));
        if (balance.detail !== "") parts.push(element("p", { class: "aside" }, words(balance.detail)));
        if (balance.alternatives !== "") parts.push(element("p", { class: "aside" }, "As good: ", words(balance.alternatives)));
      }
    } else {
      parts.push(element("p", { class: "lead" }, "This page has no balance of this user; balances.csv has every one."));
    }
    const lines = groups.map((group) => [facts.classes[group.class][1], group.cause === "" ? "" : words(group.cause), grouped(group.count), group.effect === "" ? "" : change(group.effect)]);
    if (lines.length > 0) parts.push(element("h3", {}, "Findings of this user ", element("small", {}, "each is listed below")), smallTable("Findings of this user by class and cause", [["class", ""], ["cause", ""], ["findings", "n"], ["effect, tokens", "n"]], lines));
    else parts.push(element("p", { class: "aside" }, "No finding in this page is of this user."));
    byId("user-body").replaceChildren(...parts);
    section.hidden = false;
    const own = groups.length > 0 ? "Those of the user above, the gravest first, out of" : "None is of the user above, out of";
    sayWhose("Findings of this user", `${own} ${grouped(facts.held)} in this page.`);
  };
  const closeUser = () => { state.user = ""; byId("user").hidden = true; sayWhose("All findings"); };
  // What the table has stands above it, too: the words for all rows are those of the file.
  const lead = byId("findings-lead");
  const ofAll = lead ? [...lead.childNodes] : [];
  const sayWhose = (title, words) => {
    byId("findings-title").textContent = title;
    lead?.replaceChildren(...(words === undefined ? ofAll : [words]));
  };

  // --- the address: #user=…, #finding=…, #class=…&cause=…&q=… ---

  const KEYS = ["user", "finding", "q", ...FILTERS];
  const lists = { class: facts.classes.map(([name]) => name), severity: facts.severities, repair: facts.repairs, status: facts.statuses };
  const follow = working(async () => {
    const given = new URLSearchParams(location.hash.slice(1));
    if (!state.isReady || !KEYS.some((key) => given.has(key))) return;
    if (table) {
      byId("q").value = given.get("q") ?? "";
      for (const name of FILTERS) {
        const at = given.has(name) ? (name === "cause" ? causes : lists[name]).indexOf(given.get(name)) : -1;
        byId(`f-${name}`).value = at < 0 ? "" : String(at);
      }
    }
    if (given.has("user")) await openUser(given.get("user")); else closeUser();
    if (given.has("finding")) { state.key = null; markSort(); }
    await refresh();
    if (given.has("finding")) await openFinding(given.get("finding"));
    else if (given.has("user")) { byId("user").scrollIntoView(); byId("user").focus({ preventScroll: true }); }
    else byId("findings").scrollIntoView();
  });
  const openFinding = async (id) => {
    const place = await call("find", id);
    if (place < 0) { say(`This page does not have the finding ${visible(id)}; look into findings.csv.`); byId("findings").scrollIntoView(); return; }
    await turn(Math.floor(place / state.size));
    const tr = body.rows[place % state.size];
    const button = tr.querySelector("button");
    await toggle(tr, button, state.rows[place % state.size].row);
    tr.scrollIntoView({ block: "center" });
    button.focus({ preventScroll: true });
  };
  const remember = () => {
    const kept = new URLSearchParams();
    if (state.user !== "") kept.set("user", state.user);
    if (byId("q").value !== "") kept.set("q", byId("q").value);
    for (const name of FILTERS) if (valueOf(name) !== "") kept.set(name, (name === "cause" ? causes : lists[name])[Number(valueOf(name))]);
    try { history.replaceState(null, "", `#${kept.size > 0 ? kept : "findings"}`); } catch { /* a page from a disk may not; the address then stays */ }
  };

  // --- start ---

  const markSort = () => {
    for (const head of table.tHead.rows[0].cells) {
      head.setAttribute("aria-sort", head.dataset.key !== state.key ? "none" : state.isDescending ? "descending" : "ascending");
    }
  };
  const prepareHeads = () => {
    for (const head of table.tHead.rows[0].cells) {
      const button = element("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        state.isDescending = state.key === head.dataset.key && !state.isDescending;
        state.key = head.dataset.key;
        markSort();
        refresh();
      });
    }
    markSort();
  };
  const fillFilters = (counts) => {
    for (const name of FILTERS) {
      const titles = name === "class" ? facts.classes.map(([, title]) => title) : name === "cause" ? causes : lists[name];
      let options = titles.map((title, value) => [title, value, counts[name][value]]).filter(([title, , count]) => count > 0 && title !== "");
      if (name === "cause") options = options.sort((a, b) => b[2] - a[2]);
      for (const [title, value, count] of options) byId(`f-${name}`).append(element("option", { value: String(value) }, `${visible(title)} (${grouped(count)})`));
      byId(`f-${name}`).closest("label").hidden = options.length < 2;
    }
  };
  const listen = () => {
    byId("first").addEventListener("click", () => turn(0));
    byId("previous").addEventListener("click", () => turn(state.page - 1));
    byId("next").addEventListener("click", () => turn(state.page + 1));
    byId("last").addEventListener("click", () => turn(Infinity));
    byId("page").addEventListener("change", (event) => turn(Math.floor(Number(event.target.value) || 1) - 1));
    byId("size").addEventListener("change", (event) => { state.size = Number(event.target.value); turn(0); });
    let typing;
    const changed = () => { clearTimeout(typing); remember(); return refresh(); };
    byId("q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(changed, 150); });
    for (const name of FILTERS) byId(`f-${name}`).addEventListener("change", changed);
    byId("tools").addEventListener("submit", (event) => { event.preventDefault(); changed(); });
    byId("tools").addEventListener("reset", () => setTimeout(changed, 0));
    addEventListener("beforeprint", () => {
      if (state.paper === null) return;
      state.isPaper = true;
      body.replaceChildren(...state.paper.map(line));
      sayShown(0, state.paper.length);
    });
    addEventListener("afterprint", () => { state.isPaper = false; draw(); });
  };
  const start = async () => {
    if (typeof DecompressionStream === "undefined") {
      say("This browser is too old to unpack the findings: the first ones are shown, findings.csv has all of them.");
      return;
    }
    const loaded = await load();
    causes = loaded.causes;
    state.isReady = true;
    for (const link of document.querySelectorAll("a[data-filter]")) link.href = `#${link.dataset.filter}`;
    byId("user-close").addEventListener("click", () => { closeUser(); if (table) { remember(); refresh(); byId("findings").scrollIntoView(); } });
    if (table) {
      prepareHeads();
      fillFilters(loaded.counts);
      listen();
      byId("tools").hidden = false;
      await refresh();
    }
    addEventListener("hashchange", follow);
    await follow();
    document.documentElement.dataset.ready = "yes";
  };
  start().catch((error) => { say(`The findings of this page cannot be shown (${error.message}); findings.csv has all of them.`); });
})();
