// Makes the small model that the tests use, unless it is there: the one of the command line's demo.

import { execFileSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const model = join(root, "node", "test", "model");
if (!process.env.INNERSPAN_TEST_MODEL && !existsSync(model)) {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const half = `${model}.part`;
  rmSync(half, { recursive: true, force: true });
  execFileSync(join(target, "release", "innerspan"), ["demo", "--out", half], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(half, model);
}
