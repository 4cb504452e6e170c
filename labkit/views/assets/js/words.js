// Times in words, and text for Plotly.

/** How long ago, in the words of the docker command line. */
export function ago(ms) {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return "less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return "about a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 3_600_000 + 0.5);
  if (hours === 1) return "about an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(ms / 3_600_000 / 24 / 365)} years`;
}

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
export const clock = (ms) => new Date(ms).toTimeString().slice(0, 8);
export const minutes = (ms) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

/** Plotly reads some markup, entities, and `$…$`; a label shows its text as it is. */
export const label = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("$", "&#36;");

/** A time since the start as Plotly takes it: of a plain number below 10,000 it makes a year. */
export const moment = (ms) => new Date(ms).toISOString().slice(0, -1);
