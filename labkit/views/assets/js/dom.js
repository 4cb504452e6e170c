// Elements of the page. Text becomes text nodes, never markup.

export function make(tag, name, parent) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  parent?.append(element);
  return element;
}

export function drawn(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

export const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** A button that says words and does something. */
export function press(parent, words, act, name = "labkit-button") {
  const button = make("button", name, parent);
  button.type = "button";
  write(button, words);
  button.addEventListener("click", act);
  return button;
}

/** The badge `[word, meaning]` of what no Docker engine is behind; nothing for null. */
export function stamp(badge, parent) {
  if (!badge) return;
  const [word, meaning] = badge;
  const element = make("span", "labkit-made", parent);
  element.title = meaning;
  write(element, word);
}

export const swatch = (parent, colour, pattern) => paint(make("span", "labkit-swatch", parent), colour, pattern);

export function paint(element, colour, pattern) {
  element.style.setProperty("--colour", colour);
  element.dataset.pattern = pattern;
}
