// Slides: what is too much for one is dealt out, and a recording is drawn where it is looked at.

const WIDTH = 1280, HEIGHT = 720, MARGIN = 30;
const isPrinted = /print-pdf/.test(location.search);
const slides = document.querySelector(".slides");

const isTitle = (block) => /^H\d$/.test(block.tagName);
const endOf = (block) => block.offsetTop + block.offsetHeight;

/** Returns where each block of a slide begins and ends; a heading ends with what it is above. */
const measured = (slide) =>
  [...slide.children]
    .filter((block) => block.tagName !== "ASIDE")
    .map((block, at, all) => {
      const end = endOf(isTitle(block) ? all[at + 1] ?? block : block);
      return { block, top: block.offsetTop, end };
    });

/** Deals the blocks of a slide out to as many as they need, each with its heading and notes. */
function deal(slide) {
  const [first, ...blocks] = measured(slide);
  if (!first) return;
  const title = isTitle(first.block) ? first.block : null;
  const high = HEIGHT - 2 * MARGIN;
  const above = title ? blocks[0]?.top ?? 0 : 0;
  let here = slide, began = 0, isFull = false;
  for (const { block, top, end } of blocks) {
    const room = high - (here === slide ? 0 : above);
    if (end - began > room && isFull) {
      const next = slide.cloneNode();
      if (title) next.append(title.cloneNode(true));
      for (const notes of slide.querySelectorAll("aside")) next.append(notes.cloneNode(true));
      here.after(next);
      here = next;
      began = top;
    }
    if (here !== slide) here.append(block);
    if (end - top > high - above) block.style.zoom = (high - above) / (end - top);
    isFull = true;
  }
}

/** Plays a recording in a frame of its own, in which the charts know where they are pointed at. */
function play(el) {
  const frame = document.createElement("iframe");
  frame.title = "A recording";
  const data = JSON.stringify(REPLAYS[el.dataset.replay]).replaceAll("<", "\\u003c");
  // a clicker goes on to the next slide, wherever the mouse was last
  const keys = `addEventListener("keydown", ({ key }) => {
    const method = { PageDown: "next", PageUp: "prev" }[key];
    if (method) parent.postMessage(JSON.stringify({ method }), "*");
  });`;
  frame.srcdoc = `<!doctype html><html lang="en"><meta charset="utf-8"><style>${VIEWER.style}
    body { margin: 0; }</style><main></main><script>${VIEWER.library}<\/script>
    <script type="module">${VIEWER.module}
    show(document.querySelector("main"), ${data}, ""); ${keys}<\/script></html>`;
  el.replaceChildren(frame);
}

function look() {
  for (const each of Reveal.getCurrentSlide().querySelectorAll(".replay:empty")) play(each);
}

document.body.classList.add("dealing"); // all slides are shown, to be measured
for (const slide of slides.querySelectorAll(":scope > section > section")) deal(slide);
document.body.classList.remove("dealing");

Reveal.on("ready", isPrinted ? () => document.querySelectorAll(".replay").forEach(play) : look);
Reveal.on("slidechanged", look);
Reveal.initialize({
  ...{ width: WIDTH, height: HEIGHT, margin: 0.04, center: false },
  ...{ hash: true, slideNumber: "c/t", transition: "none", plugins: [RevealNotes] },
});
