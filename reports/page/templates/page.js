"use strict";

// Tables: a click, or Enter, on a header sorts by it; again turns the order round. Empty cells stay last.
function valueOf(row, place) {
  const cell = row.cells[place];
  return cell.dataset.value ?? cell.textContent.trim();
}

function compare(a, b, numeric) {
  return numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
}

function sort(table, header) {
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  const place = header.cellIndex;
  const numeric = header.classList.contains("number");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const empty = rows.filter((row) => valueOf(row, place) === "");
  const full = rows.filter((row) => valueOf(row, place) !== "");
  full.sort((a, b) => compare(valueOf(a, place), valueOf(b, place), numeric));
  if (!ascending) full.reverse();
  body.append(...full, ...empty);
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
}

// The table as CSV with raw values, made here: the page may have been mailed without its folder.
function csvOf(table) {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const keys = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.key);
  const rows = [...table.tBodies[0].rows].map((row) => keys.map((_, place) => valueOf(row, place)));
  return [keys, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}

function offer(table) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "download";
  button.textContent = "Download as CSV";
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(table)], { type: "text/csv" }));
    link.download = `${table.dataset.name}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  table.closest(".scroll").after(button);
}

for (const table of document.querySelectorAll("table")) offer(table);
for (const table of document.querySelectorAll("table.sortable")) {
  for (const header of table.tHead.rows[0].cells) {
    header.querySelector("button").addEventListener("click", () => sort(table, header));
  }
}

// What scrolls sideways must be reachable by keyboard.
function reachable() {
  for (const box of document.querySelectorAll(".scroll")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
reachable();
addEventListener("resize", reachable);
for (const folded of document.querySelectorAll("details")) folded.addEventListener("toggle", reachable);

// The contents list shows where the reader is.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  },
  { rootMargin: "-10% 0px -80% 0px" },
);
for (const section of document.querySelectorAll("main > section")) watcher.observe(section);
