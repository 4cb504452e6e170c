// Keeps the room's page up to date: asks for it again, and puts the new one in place of the old.

const EVERY = 2000; // ms

async function follow() {
  const status = () => document.querySelector(".labkit-now");
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(await answer.text());
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, now] = [document.querySelector("main"), page.querySelector("main")];
    if (old.innerHTML !== now.innerHTML) old.replaceWith(now); // what is selected stays
  } catch (problem) {
    const since = status().dataset.lost ??= new Date().toLocaleTimeString();
    status().textContent = `not live since ${since}: ${problem.message}`;
  }
  setTimeout(follow, EVERY);
}
setTimeout(follow, EVERY);
