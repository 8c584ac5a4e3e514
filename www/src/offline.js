// A second visit works without a network.

/** Registers the service worker that the build writes; there is none while developing. */
export function workOffline() {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // after everything else: the model comes first
  addEventListener("load", () => {
    navigator.serviceWorker.register("./sw.js").catch(() => {
      // a browser that forbids it, as in private windows: the page works all the same while there is a network
    });
  });
}

/** Keeps what has been loaded by now for visits without a network. */
export async function keepForOffline() {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage("keep");
}
