// Settings as a form of the browser's own controls: a slider, a choice or a text each, by its label.

export default { render({ model, el }) {
  const form = document.createElement("form");
  form.className = "labkit-settings";
  form.addEventListener("submit", (event) => event.preventDefault());
  const inputs = new Map();
  for (const field of model.get("fields")) {
    const label = document.createElement("label");
    const input = document.createElement(field.choices ? "select" : "input");
    const shown = document.createElement("output");
    for (const [words, value] of field.choices ?? []) input.append(new Option(words, value));
    input.dataset.lmSuppressShortcuts = "true"; // or JupyterLab has the arrow keys
    if (field.reach) [input.type, [input.min, input.max, input.step]] = ["range", field.reach];
    const read = () => (field.reach ? Number(input.value) : input.value);
    input.addEventListener(field.reach ? "input" : "change", () => {
      const values = { ...model.get("values"), [field.name]: read() };
      // the image that does what is chosen, in place of another of these; a typed one stays
      if (Object.values(field.images ?? {}).includes(values.image)) values.image = field.images[values.does];
      model.set("values", values);
      model.save_changes();
    });
    inputs.set(field, [input, shown]);
    label.append(field.label, input, ...(field.reach ? [shown] : []));
    form.append(label);
  }
  const show = () => {
    const values = model.get("values"), off = model.get("off");
    for (const [field, [input, shown]] of inputs) {
      if (input.value !== String(values[field.name])) input.value = values[field.name];
      input.disabled = off.includes(field.name);
      const said = (values[field.name] === 0 && field.zero) || `${values[field.name]}${field.unit ?? ""}`;
      if (shown.value !== said) shown.value = said;
      // a slider is read with its unit, and says what a bound means
      if (field.reach) input.setAttribute("aria-valuetext", said);
    }
  };
  model.on("change:values change:off", show);
  show();
  el.append(form);
} };
