// How long the tasks of a page's main thread are: what keeps it from reacting.

/**
 * Watches all pages of a browser until the function it gives is called, which tells the longest task in milliseconds:
 * of the processor's time, which is the page's own doing, and of the clock's, in which other programs take part.
 *
 * @param {import("playwright-core").Browser} browser
 * @returns {Promise<() => Promise<{ own: number, clock: number }>>}
 */
export async function watchTasks(browser) {
  const session = await browser.newBrowserCDPSession();
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  const traceConfig = { includedCategories: ["toplevel", "devtools.timeline"] };
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });

  return async () => {
    await session.send("Tracing.end");
    await complete;
    await session.detach();
    const threadOf = ({ pid, tid }) => `${pid} ${tid}`;
    const named = events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
    const main = new Set(named.map(threadOf));
    const tasks = events.filter(
      (event) => event.ph === "X" && /RunTask$/.test(event.name) && main.has(threadOf(event)),
    );
    if (tasks.length === 0) throw new Error("the trace holds no task of a page");
    const longest = (key) => Math.round(Math.max(...tasks.map((task) => task[key] ?? 0)) / 1000);
    return { own: longest("tdur"), clock: longest("dur") };
  };
}

/** What a task may take before people notice. */
const NOTICED = 50;

/**
 * Checks that no task of a scenario is noticed. Where other programs crowd the processor even its time per task grows,
 * so the scenario may be repeated; what the page itself does too long is too long every time.
 *
 * @param {import("node:test").TestContext} t
 * @param {() => Promise<Record<string, { own: number, clock: number }>>} scenario the longest tasks, by what was done
 */
export async function assertSmooth(t, scenario) {
  /** @type {Record<string, number>} */
  const best = {};
  for (let run = 0; run < 4; run++) {
    for (const [what, { own, clock }] of Object.entries(await scenario())) {
      t.diagnostic(`${what}: the longest task took ${own} ms (${clock} ms by the clock)`);
      best[what] = Math.min(best[what] ?? Infinity, own);
    }
    if (Object.values(best).every((own) => own <= NOTICED)) return;
  }
  throw new Error(`tasks of more than ${NOTICED} ms: ${JSON.stringify(best)}`);
}
