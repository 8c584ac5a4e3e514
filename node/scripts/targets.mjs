// The platforms that get a package: napi's name and what npm compares with the user's machine.

export const targets = [
  { name: "linux-x64-gnu", os: "linux", cpu: "x64", libc: "glibc" },
  { name: "linux-arm64-gnu", os: "linux", cpu: "arm64", libc: "glibc" },
  { name: "linux-x64-musl", os: "linux", cpu: "x64", libc: "musl" },
  { name: "linux-arm64-musl", os: "linux", cpu: "arm64", libc: "musl" },
  { name: "darwin-x64", os: "darwin", cpu: "x64" },
  { name: "darwin-arm64", os: "darwin", cpu: "arm64" },
  { name: "win32-x64-msvc", os: "win32", cpu: "x64" },
  { name: "win32-arm64-msvc", os: "win32", cpu: "arm64" },
];

/** The target of this machine. */
export function hostTarget() {
  const { platform, arch } = process;
  const libc =
    platform === "linux" ? (process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl") : undefined;
  const found = targets.find((target) => target.os === platform && target.cpu === arch && target.libc === libc);
  if (!found) throw new Error(`there is no package for ${platform} ${arch}; add one to scripts/targets.mjs`);
  return found;
}
