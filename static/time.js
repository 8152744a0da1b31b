// Moments in the reader's own time and how long ago they were; without this file they are in UTC.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60]];

const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);

function words(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const age = Math.abs(seconds);
  if (age > 30 * 86400) return full.format(moment);
  const [unit, size] = units.find(([, size]) => age >= size) ?? ["minute", 60];
  // “Tomorrow” is a day of the calendar: what is 47 hours away may be of the day after.
  const days = Math.round((midnight(moment) - midnight(Date.now())) / 86400_000);
  const count = unit === "day" ? days : Math.trunc(seconds / size);
  return `${(age < 64800 ? clock : day).format(moment)}, ${ago.format(count, unit)}`;
}

export function show(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    const said = words(moment);
    if (element.textContent !== said) element.textContent = said;
    element.title = `${moment.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  }
}

show();
setInterval(show, 60_000);
