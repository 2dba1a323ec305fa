// Follows what happens while a page is open. Without it the pages say the same; they have to be loaded again.
"use strict";

const live = document.getElementById("live");
const box = document.getElementById("q");
const FOLLOWED = ["content", "beside"]; // what a page says anew when there are new calls

let wanted = false; // whether the page has to be fetched once more
let fetching = false;

/** Shows the page as the server would write it now. What did not change stays, with its focus. */
function refresh() {
  wanted = true;
  if (fetching) return;
  wanted = false;
  fetching = true;
  const request = new XMLHttpRequest();
  request.open("GET", location.pathname + location.search);
  request.responseType = "document"; // no script in it runs
  request.onload = () => request.status === 200 && show(request.response);
  request.onloadend = () => {
    fetching = false;
    if (wanted) refresh();
  };
  request.send();
}

function show(fresh) {
  const focused = document.activeElement.closest("tr[id]")?.id;
  for (const id of FOLLOWED) {
    const old = document.getElementById(id);
    const found = fresh.getElementById(id);
    if (old && found) renew(old, document.importNode(found, true));
  }
  if (focused && !document.activeElement.closest("tr[id]")) link(document.getElementById(focused))?.focus();
}

function renew(old, fresh) {
  const body = old.querySelector("tbody");
  const rows = fresh.querySelector("tbody");
  if (body && rows) {
    const known = new Map(Array.from(body.rows, (row) => [row.id, row]));
    for (const row of Array.from(rows.rows)) {
      const same = known.get(row.id);
      if (same?.isEqualNode(row)) row.replaceWith(same);
      else if (!same) row.classList.add("new");
    }
  }
  old.replaceWith(fresh);
}

/** Is told the number of the newest call, for as long as somebody looks at the page. */
function follow() {
  const events = new EventSource("events");
  events.onopen = () => say("live", "live");
  events.onmessage = (event) => {
    const newest = document.querySelector("[data-newest]").dataset.newest;
    if (newest !== event.data) refresh();
  };
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) say("ended", "not live: load the page again");
    else say("ended", "not live: waiting for the emulator");
  };
  return events;
}

function say(state, text) {
  live.hidden = false;
  live.className = state;
  if (live.textContent !== text) live.textContent = text;
}

const link = (row) => row?.querySelector("a");

/** Moves the focus by rows of the list. */
function move(step) {
  const links = Array.from(document.querySelectorAll("tbody a"));
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
  links[next]?.focus();
}

function filter() {
  box.focus();
  box.select();
}

function go(rel) {
  const found = document.querySelector(`a[rel=${rel}]`);
  if (found) location.assign(found.href);
}

const list = document.querySelector("main.calls") !== null;
const KEYS = list
  ? { j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), "/": () => filter() }
  : {
      j: () => go("next"),
      k: () => go("prev"),
      ArrowRight: () => go("next"),
      ArrowLeft: () => go("prev"),
      u: () => go("up"),
      "/": () => location.assign("./#q"),
    };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.matches("input, textarea, select")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

if (box) {
  box.addEventListener("input", () => {
    const query = box.value ? `?${new URLSearchParams({ q: box.value })}` : "";
    history.replaceState(null, "", location.pathname + query);
    refresh();
  });
  box.form.addEventListener("submit", (event) => {
    event.preventDefault();
    move(1);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !box.value) box.blur();
    if (event.key === "ArrowDown") {
      event.preventDefault();
      move(1);
    }
  });
  if (location.hash === "#q") filter();
}

const copy = document.getElementById("copy");
if (copy) {
  const text = document.getElementById("curl");
  const copied = document.getElementById("copied");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      copied.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      copied.textContent = "Selected: copy it with the keyboard";
    }
  });
}

for (const hint of document.querySelectorAll(".keys")) hint.hidden = false;

if (live) {
  let events = document.hidden ? null : follow();
  document.addEventListener("visibilitychange", () => {
    events?.close(); // a browser opens few connections to a host
    events = document.hidden ? null : follow();
  });
}
