# Sourced by `demo` and `test`: finds or installs what the build and the tests need.

if ! command -v cargo >/dev/null && [ -r "$HOME/.cargo/env" ]; then
    source "$HOME/.cargo/env"
fi
if ! command -v cargo >/dev/null; then
    echo 'error: cargo was not found: install Rust from https://rustup.rs' >&2
    exit 1
fi

# Installs Debian packages if we may; says what is missing if we may not.
install_packages() {
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        sudo=(sudo -n)
    fi
    if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        # an index that is a little old is no reason to fail
        "${sudo[@]}" apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        return 1
    fi
}

if ! command -v cc >/dev/null; then
    install_packages gcc libc6-dev || {
        echo 'error: no C compiler was found: install one (on Debian: apt install gcc libc6-dev)' >&2
        exit 1
    }
fi

# a software graphics adapter, so that the GPU code is tested on machines without a GPU
if [ "$(uname -s)" = Linux ] && ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then
    install_packages mesa-vulkan-drivers libvulkan1 ||
        echo 'note: no Vulkan driver was found: tests of the GPU code are skipped (on Debian: apt install mesa-vulkan-drivers libvulkan1)' >&2
fi

# Node.js and browsers, for the packages; only `test` needs them
setup_web() {
    local new='process.exit(process.versions.node.localeCompare("20.19", "en", { numeric: true }) < 0 ? 1 : 0)'
    if ! command -v npm >/dev/null || ! node -e "$new"; then
        echo 'error: Node.js 20.19 or newer, with npm, was not found: install it from https://nodejs.org' >&2
        exit 1
    fi
    if ! [ -x /usr/bin/chromium ] || ! command -v firefox-esr >/dev/null; then
        install_packages chromium firefox-esr || {
            echo 'error: the tests of the page need Chromium and Firefox (on Debian: apt install chromium firefox-esr)' >&2
            exit 1
        }
    fi
    # the standard library for browsers: rustup's where it can be had, else the build of Debian's sources
    if ! [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
        rustup target add wasm32-unknown-unknown 2>/dev/null || install_packages rustc-web cargo-web rust-web-src || {
            echo 'error: the target wasm32-unknown-unknown is missing: rustup target add wasm32-unknown-unknown' >&2
            exit 1
        }
    fi
}

# without a desktop, graphics drivers complain on stderr at every use unless they find this
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}
