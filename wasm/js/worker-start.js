/** Starts the worker, also where this package comes from another origin, such as a CDN, than the page. */
export function startWorker() {
  try {
    // bundlers look for this very form
    return new Worker(new URL("./worker-thread.js", import.meta.url), { type: "module", name: "innerspan" });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
  }
  const base = import.meta.url;
  const script = `import ${JSON.stringify(new URL("./worker-thread.js", base).href)};`;
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module", name: "innerspan" });
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return worker;
}
