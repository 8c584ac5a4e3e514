// Light or dark: as the system has it, until the button says otherwise.

const KEY = "theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {HTMLElement} button */
export function followTheme(button) {
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-pressed", String(isDark()));
  const saved = stored(() => localStorage.getItem(KEY));
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    stored(() => localStorage.setItem(KEY, theme));
    show();
  });
  system.addEventListener("change", show);
  show();
}

/** Storage may be forbidden. @template T @param {() => T} access @returns {T | undefined} */
function stored(access) {
  try {
    return access();
  } catch {
    return undefined;
  }
}
