//! Tells the linker that Node.js brings the symbols of its interface, and to leave out those that nobody looks up.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--strip-all");
    }
}
