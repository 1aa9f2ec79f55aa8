//! Keeps the SQLite of the store to ourselves in the tests of this crate, as the program's own `build.rs` does there: GDAL, which
//! writes the GeoPackages of drop folders, brings another one.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg=-Wl,--exclude-libs,ALL");
}
