// The moving picture: a recording's drawing is uncovered from left to right, at its own pace.
// It waits for somebody who prefers reduced motion, and without a script all of it is there.
const figure = document.getElementById("moving");
const { speed, begin, end, left, right, moments } = JSON.parse(figure.dataset.play);
const [curtain, button, sentence] = [".curtain", "button", ".now b"].map((each) => figure.querySelector(each));
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
let [at, before, playing] = [still ? end : begin, 0, !still];

function draw() {
  const share = left + ((right - left) * (at - begin)) / (end - begin);
  curtain.hidden = at >= end;
  curtain.style.width = `${100 - share}%`;
  sentence.textContent = moments.findLast(([since]) => since <= at)[1];
  button.textContent = playing ? "Pause" : at < end ? "Play" : "Play again";
}

function step(now) {
  if (!playing) return;
  at = Math.min(end, at + speed * (now - before));
  before = now;
  playing = at < end;
  draw();
  requestAnimationFrame(step);
}

function start() {
  requestAnimationFrame((now) => {
    before = now;
    step(now);
  });
}

button.addEventListener("click", () => {
  playing = !playing;
  if (playing && at >= end) at = begin;
  draw();
  start();
});
button.hidden = false;
draw();
start();
