// Puts a button beside each address that copies it. Without this script the address is selected and copied by hand.
"use strict";

const announcement = document.getElementById("copied");

async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    return document.execCommand("copy"); // there is no clipboard without TLS
  }
}

async function answer(field, button) {
  const isDone = await copy(field);
  announcement.textContent = ""; // said again when it says the same
  announcement.textContent = isDone ? field.dataset.done : field.dataset.failed;
  if (!isDone) return; // the field keeps the focus, and its text is selected
  button.focus();
  button.textContent = field.dataset.copied;
  button.addEventListener("blur", () => { button.textContent = field.dataset.copy; }, { once: true });
}

for (const field of document.querySelectorAll("input[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = field.dataset.copy;
  field.labels[0].id = `${field.id}-name`;
  button.setAttribute("aria-describedby", field.labels[0].id);
  button.addEventListener("click", () => answer(field, button));
  field.after(button);
  field.addEventListener("focus", () => field.select());
}
