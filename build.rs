//! Keeps the SQLite of the store to ourselves.
//!
//! The program holds two: ours (bundled, new enough for `rusqlite`) and Debian's, which GDAL brings. A linker exports
//! what a shared library might want, so GDAL would call half of ours and half of its own, and crash.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg=-Wl,--exclude-libs,ALL");
}
