// A table as comma-separated values: what is shown, figures as plain numbers, nothing a spreadsheet would run.

const FIGURE = /^[+−-]?₹?\d[\d,]*(\.\d+)?$/;
const RUNS = /^[=+\-@\t\r]/;

/** What a cell says, as a field: a figure without grouping and with a plain minus; other text never begins a formula. */
export function field(shown) {
  const text = shown.replace(/\s+/g, " ").trim();
  if (text === "—") return "";
  if (FIGURE.test(text)) return text.replace(/[₹,+]/g, "").replace("−", "-");
  return RUNS.test(text) ? `'${text}` : text;
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Rows of fields as text, each line ended as spreadsheets expect it. */
export function csvText(rows) {
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

/** A file's name out of a title and a moment in India. */
export function fileName(title, at) {
  const words = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  const moment = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Kolkata", dateStyle: "short", timeStyle: "short" }).format(at);
  return `${words}-${moment.replace(" ", "-").replace(":", "")}.csv`;
}
