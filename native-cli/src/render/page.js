addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-toggle]")) {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", shown);
      for (const mark of document.querySelectorAll("mark"))
        if (mark.dataset.type === button.dataset.toggle) mark.classList.toggle("off", !shown);
    });
  }
  const only = document.getElementById("only-mistakes");
  only?.addEventListener("change", () => document.body.classList.toggle("only-mistakes", only.checked));
});
