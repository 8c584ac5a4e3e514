import { InnerspanError } from "./errors.js";

/** @typedef {"cpu" | "webgpu"} Build */

/**
 * What each build is loaded from. Bundlers look for these very forms.
 * @type {Record<Build, { module: () => Promise<{ create: (queueMicrotask: (task: () => void) => void) => any }>, program: () => URL }>}
 */
const BUILDS = {
  cpu: {
    module: () => import("./build/cpu.js"),
    program: () => new URL("./build/cpu.wasm", import.meta.url),
  },
  webgpu: {
    module: () => import("./build/webgpu.js"),
    program: () => new URL("./build/webgpu.wasm", import.meta.url),
  },
};

/**
 * A build ready to be instantiated any number of times; downloaded and compiled once.
 * @param {Build} build
 */
export async function load(build) {
  const [{ create }, program] = await Promise.all([script(build), compiled(build)]);
  return { create, program };
}

/** @param {Build} build */
async function script(build) {
  try {
    return await BUILDS[build].module();
  } catch (cause) {
    throw new InnerspanError("network", `a script of this package cannot be fetched (${cause}); try again`, { cause });
  }
}

/** @type {Map<Build, Promise<WebAssembly.Module>>} */
const programs = new Map();

/** @param {Build} build */
function compiled(build) {
  let program = programs.get(build);
  if (!program) {
    program = compile(BUILDS[build].program());
    programs.set(build, program);
    program.catch(() => programs.delete(build));
  }
  return program;
}

/** @param {URL} url */
async function compile(url) {
  let response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new InnerspanError("network", `${url}: cannot be fetched; check the connection`, { cause });
  }
  if (!response.ok) {
    throw new InnerspanError("network", `${url}: the server answered ${response.status}; it is part of this package`);
  }
  try {
    // what a server does not call by its type cannot be compiled while it arrives
    const typed = response.headers.get("content-type")?.startsWith("application/wasm");
    return await (typed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer()));
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) {
      throw new InnerspanError("network", `${url}: the connection broke off; try again`, { cause });
    }
    throw new InnerspanError(
      "device",
      `${url}: this browser cannot run it (${cause}); it needs WebAssembly with SIMD, which all have had since 2023`,
      { cause },
    );
  }
}
