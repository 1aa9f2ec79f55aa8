//! The page is built from npm packages before the crate is: a clear word where it was not.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=page/built");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/built/index.html");
    assert!(
        page.is_file(),
        "the page of the review server is not built: run scripts/setup (or `npm ci && npm run build` in pipeline/review/page)"
    );
}
