"use strict";
// The findings of the page: unpacks, filters, searches, sorts them. Runs in a worker, so that the page
// never waits; where a browser allows none, beside the page. What the table shows is held in columns
// of numbers; the rest stays compressed until it is searched or a finding is opened.
const Engine = (() => {
  const NUMBERS = ["user", "action", "tokens_legacy", "tokens_unified", "effect", "cause"];
  const MARKS = ["class", "severity", "repair", "status"];
  const FIELDS = ["finding_id", "legacy_ids", "unified_ids", "action_legacy", "action_expected",
    "action_unified", "created_at_legacy", "created_at_unified", "lag_seconds", "rule", "verdict",
    "confidence", "evidence"];
  const PERSON = ["granted", "deducted", "used", "recomputed", "corrected", "stored", "gap", "unexplained"];
  const PERSON_CAUSES = 10;
  const ROWS_OF_A_BREATH = 100_000;
  const CACHED_LETTERS = 48_000_000;
  const decoder = new TextDecoder();

  const bytes = (text) => (Uint8Array.fromBase64 ? Uint8Array.fromBase64(text)
    : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  const unzip = async (packed) => {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const UNESCAPED = { "\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r" };
  const unescape = (field) => field.replace(/\\[\\tnr]/g, (mark) => UNESCAPED[mark]);
  const breath = () => new Promise((resume) => setTimeout(resume, 0));
  // Whole numbers of any size: a browser's own numbers are exact to 2^53 only.
  const exact = (text) => (text.length < 16 ? Number(text) : BigInt(text));

  const create = (report) => {
    const words = { users: [""], actions: [""], tokens: [""], causes: [""] };
    const wordsOf = { user: "users", action: "actions", cause: "causes", tokens_legacy: "tokens", tokens_unified: "tokens", effect: "tokens" };
    const columns = {};
    const blocks = [];
    const ranks = {};
    const cache = new Map();
    let cachedLetters = 0;
    let lowerCase = null;
    let userCodes = null;
    const people = [];
    let facts = null;
    let view = new Uint32Array(0);
    let latest = 0;

    const readBlock = async (text, start) => {
      const [index, rest] = text.split(" ");
      const raw = await unzip(bytes(index));
      const size = new DataView(raw.buffer).getUint32(0, true);
      const head = JSON.parse(decoder.decode(raw.subarray(4, 4 + size)));
      for (const name of Object.keys(words)) for (const word of head[name]) words[name].push(word);
      let from = 4 + size;
      const take = (name) => {
        const width = columns[name].BYTES_PER_ELEMENT;
        const into = new Uint8Array(columns[name].buffer, start * width, head.rows * width);
        for (let plane = 0; plane < width; plane++) {
          for (let row = 0; row < head.rows; row++) into[row * width + plane] = raw[from++];
        }
      };
      for (const name of ["at", ...NUMBERS, ...MARKS]) take(name);
      let user = 0;
      for (let row = start; row < start + head.rows; row++) user = columns.user[row] = (user + columns.user[row]) >>> 0;
      blocks.push({ start, rows: head.rows, packed: bytes(rest) });
      return start + head.rows;
    };

    // Blocks come one by one, so that nobody has to wait for all of them at once.
    const begin = (given) => {
      facts = given;
      columns.at = new Float64Array(facts.held);
      for (const name of NUMBERS) columns[name] = new Uint32Array(facts.held);
      for (const name of MARKS) columns[name] = new Uint8Array(facts.held);
    };
    let unpacked = 0;
    const addFindings = async (text) => { unpacked = await readBlock(text, unpacked); return unpacked; };
    const addPeople = (text) => { people.push(bytes(text)); };
    const finish = () => {
      const counts = {};
      for (const name of [...MARKS, "cause"]) {
        const count = new Array(name === "cause" ? words.causes.length : 16).fill(0);
        for (let row = 0; row < facts.held; row++) count[columns[name][row]]++;
        counts[name] = count;
      }
      return { counts, causes: words.causes };
    };

    // The lines of a block, from the cache where they were read lately.
    const textOf = async (block) => {
      let text = cache.get(block);
      if (text === undefined) {
        text = decoder.decode(await unzip(block.packed));
        cachedLetters += text.length;
      }
      cache.delete(block);
      cache.set(block, text);
      for (const [oldest, letters] of cache) {
        if (cachedLetters <= CACHED_LETTERS || oldest === block) break;
        cache.delete(oldest);
        cachedLetters -= letters.length;
      }
      return text;
    };

    const codeOfUser = (id) => {
      userCodes ??= new Map(words.users.map((user, code) => [user, code]));
      return id === "" ? 0 : userCodes.get(id) ?? 0;
    };

    // Which codes of which columns have the word: most of a search is answered by these.
    const hits = (word) => {
      lowerCase ??= Object.fromEntries(Object.entries(words).map(([name, list]) => [name, list.map((text) => text.toLowerCase())]));
      const amount = word.replaceAll(",", "").replace("\u2212", "-");
      const found = {};
      for (const [name, list] of Object.entries(lowerCase)) {
        const sought = name === "tokens" ? amount : word;
        found[name] = Uint8Array.from(list, (text) => (text !== "" && text.includes(sought) ? 1 : 0));
      }
      found.class = facts.classes.map(([name, title]) => name.includes(word) || title.toLowerCase().includes(word));
      return found;
    };
    const isHit = (found, row) => found.users[columns.user[row]] || found.actions[columns.action[row]]
      || found.causes[columns.cause[row]] || found.class[columns.class[row]] || found.tokens[columns.tokens_legacy[row]]
      || found.tokens[columns.tokens_unified[row]] || found.tokens[columns.effect[row]];

    const filtered = (wanted) => {
      const rows = new Uint32Array(facts.held);
      const tests = Object.entries(wanted).map(([name, value]) => [columns[name], value]);
      let length = 0;
      for (let row = 0; row < facts.held; row++) {
        let stays = true;
        for (const [column, value] of tests) if (column[row] !== value) { stays = false; break; }
        if (stays) rows[length++] = row;
      }
      return rows.subarray(0, length);
    };

    // `null` when a newer question has come meanwhile.
    const searched = async (rows, sought, mine) => {
      const found = sought.map(hits);
      const inText = sought.map((word) => word.replaceAll("\\", "\\\\"));
      const kept = new Uint32Array(rows.length);
      let length = 0;
      let next = 0;
      for (const block of blocks) {
        const end = block.start + block.rows;
        let lines = null;
        for (; next < rows.length && rows[next] < end; next++) {
          const row = rows[next];
          let stays = true;
          for (let at = 0; at < sought.length && stays; at++) {
            if (isHit(found[at], row)) continue;
            lines ??= (await textOf(block)).toLowerCase().split("\n");
            stays = lines[row - block.start].includes(inText[at]);
          }
          if (stays) kept[length++] = row;
        }
        if (mine !== latest) return null;
        if (lines !== null) {
          report({ searched: end / facts.held, found: length });
          await breath();
        }
      }
      return kept.slice(0, length);
    };

    const rankOf = (name) => (ranks[name] ??= (() => {
      const list = name === "tokens" ? words.tokens.map((text) => (text === "" ? 0 : exact(text))) : words[name];
      const order = Uint32Array.from(list.keys()).sort((a, b) => (list[a] < list[b] ? -1 : list[a] > list[b] ? 1 : a - b));
      const rank = new Float64Array(list.length);
      order.forEach((code, place) => { rank[code] = place; });
      rank[0] = NaN;
      return rank;
    })());

    // Unknown stands last in either direction, equals in the order of the page.
    const sorted = async (rows, key, isDescending, mine) => {
      if (rows.length > ROWS_OF_A_BREATH) await breath();
      if (mine !== latest) return null;
      const column = columns[key];
      if (key === "at") {
        const known = (row) => !Number.isNaN(column[row]);
        const sign = isDescending ? -1 : 1;
        const order = rows.filter(known).sort((a, b) => sign * (column[a] - column[b]) || a - b);
        const whole = new Uint32Array(rows.length);
        whole.set(order);
        whole.set(rows.filter((row) => !known(row)), order.length);
        return whole;
      }
      // Place of the value and row in one number: numbers are sorted fastest.
      const rank = wordsOf[key] && rankOf(wordsOf[key]);
      const levels = rank ? rank.length : 256;
      const numbers = Float64Array.from(rows, (row) => {
        const level = rank ? rank[column[row]] : column[row];
        return (Number.isNaN(level) ? levels : isDescending ? levels - level : level) * facts.held + row;
      });
      return Uint32Array.from(numbers.sort(), (number) => number % facts.held);
    };

    // Answers a question; afterwards `rows` gives parts of the answer.
    const ask = async ({ text, filters, key, isDescending }) => {
      const mine = ++latest;
      const wanted = {};
      for (const [name, value] of Object.entries(filters)) {
        const code = name === "user" ? codeOfUser(value) : name === "cause" ? words.causes.indexOf(value) : value;
        // A word that no finding has: nothing can match it.
        wanted[name] = code === -1 || (name === "user" && code === 0) ? -1 : code;
      }
      let rows = filtered(wanted);
      const sought = text.toLowerCase().split(/\s+/).filter(Boolean);
      if (sought.length > 0) rows = await searched(rows, sought, mine);
      if (rows !== null && key) rows = await sorted(rows, key, isDescending, mine);
      if (rows === null || mine !== latest) return null;
      view = rows;
      return { length: rows.length };
    };

    const shown = (row) => {
      const out = { row, at: columns.at[row] };
      for (const name of NUMBERS) out[name] = words[wordsOf[name]][columns[name][row]];
      for (const name of MARKS) out[name] = columns[name][row];
      return out;
    };
    const rows = (from, to) => Array.from(view.subarray(from, to), shown);

    const time = (micros) => {
      const seconds = Math.floor(micros / 1e6);
      const rest = String(micros - seconds * 1e6).padStart(6, "0");
      return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${rest}Z`;
    };
    const detail = async (row) => {
      const block = blocks.find(({ start, rows: length }) => row < start + length);
      const fields = (await textOf(block)).split("\n")[row - block.start].split("\t").map(unescape);
      const out = Object.fromEntries(FIELDS.map((name, at) => [name, fields[at]]));
      for (const name of ["created_at_legacy", "created_at_unified"]) if (out[name] === "=") out[name] = time(columns.at[row]);
      return { ...shown(row), ...out };
    };

    // Where a finding stands when nothing is filtered or sorted; -1 where the page does not have it.
    const find = async (id) => {
      for (const block of blocks) {
        const text = await textOf(block);
        const at = text.startsWith(`${id}\t`) ? 0 : text.indexOf(`\n${id}\t`) + 1;
        if (at > 0 || text.startsWith(`${id}\t`)) return block.start + text.slice(0, at).split("\n").length - 1;
      }
      return -1;
    };

    const balanceOf = async (id, place) => {
      const lines = decoder.decode(await unzip(people[place])).split("\n");
      const line = lines.map((text) => text.split("\t")).find((fields) => unescape(fields[0]) === id && fields.length > 1);
      if (!line) return null;
      const out = Object.fromEntries(PERSON.map((name, at) => [name, line[at + 1]]));
      out.explanation = line[PERSON_CAUSES - 1];
      out.causes = line[PERSON_CAUSES].split(",").filter(Boolean).map((pair) => pair.split(":"));
      out.detail = unescape(line[PERSON_CAUSES + 1]);
      out.alternatives = unescape(line[PERSON_CAUSES + 2]);
      return out;
    };

    // Everything about one user: the balance, and the findings by class and cause.
    const person = async (id) => {
      const code = codeOfUser(id);
      let balance = null;
      const first = code > 0 ? Math.floor((code - 1) / facts.block_users) : Math.floor((words.users.length - 1) / facts.block_users);
      const last = code > 0 ? Math.min(first, people.length - 1) : people.length - 1;
      for (let place = first; place <= last && balance === null; place++) balance = await balanceOf(id, place);
      const groups = new Map();
      for (const row of code > 0 ? filtered({ user: code }) : []) {
        const name = `${columns.class[row]} ${columns.cause[row]}`;
        const effect = words.tokens[columns.effect[row]];
        const group = groups.get(name) ?? { class: columns.class[row], cause: words.causes[columns.cause[row]], count: 0, effect: null };
        group.count++;
        if (effect !== "") group.effect = (group.effect ?? 0n) + BigInt(effect);
        groups.set(name, group);
      }
      const list = [...groups.values()].map((group) => ({ ...group, effect: group.effect === null ? "" : String(group.effect) }));
      return { balance, groups: list };
    };

    return { begin, addFindings, addPeople, finish, ask, rows, detail, find, person };
  };

  // Answers the messages of the page.
  const serve = (scope) => {
    const engine = create((progress) => scope.postMessage({ progress }));
    scope.onmessage = async ({ data: { id, name, given } }) => {
      try {
        scope.postMessage({ id, answer: await engine[name](...given) });
      } catch (error) {
        scope.postMessage({ id, error: String(error) });
      }
    };
  };
  return { create, serve };
})();
