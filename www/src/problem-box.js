import { explain } from "./problems.js";

/** Where problems are told, read aloud as they come. @param {HTMLElement} box */
export function createProblemBox(box) {
  return {
    /** @param {unknown} error @param {() => unknown} [again] what to do when asked to try again */
    show(error, again) {
      const { title, advice, details } = explain(error);
      box.replaceChildren(element("strong", title), element("p", advice));
      if (details) box.append(element("p", details, "details"));
      if (again) {
        const button = element("button", "Try again");
        button.type = "button";
        button.addEventListener("click", () => again());
        box.append(button);
      }
      box.hidden = false;
    },
    hide() {
      box.hidden = true;
    },
  };
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {string} text
 */
function element(name, text, className = "") {
  const node = document.createElement(name);
  node.textContent = text;
  node.className = className;
  return node;
}
