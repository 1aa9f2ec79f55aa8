//! A page as PDF, by Chromium without a window.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::scene;

/// Names of the browser, in the order in which they are tried.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Variable that names another one.
pub const VARIABLE: &str = "SHOREWATCH_CHROMIUM";
/// A page of a thousand patches takes some seconds.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The browser, where there is one.
#[must_use]
pub fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|path| path.is_file())
}

/// Prints a page to a PDF.
///
/// # Errors
/// The browser fails or takes too long; nothing appears under `pdf` then.
pub fn print(browser: &Path, page: &Path, pdf: &Path) -> Result<(), Failure> {
    let room = tempfile::tempdir()?;
    let printed = room.path().join("page.pdf");
    let page = std::path::absolute(page)?;
    let mut child = Command::new(browser)
        // the page is ours: its policy forbids scripts and the network, and the sandbox does not run as root
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--no-pdf-header-footer"])
        .arg(format!("--user-data-dir={}", room.path().join("profile").display()))
        .arg(format!("--print-to-pdf={}", printed.display()))
        .arg(format!("file://{}", page.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|fault| Failure::input(format!("{}: {fault}; name another one in {VARIABLE}", browser.display())))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > TIMEOUT {
            child.kill()?;
            child.wait()?;
            let seconds = TIMEOUT.as_secs();
            return Err(Failure::retryable(format!("{} did not print the page in {seconds} s", browser.display())));
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    match std::fs::read(&printed) {
        Ok(bytes) if bytes.starts_with(b"%PDF-") => scene::write_whole(pdf, &bytes),
        _ => Err(Failure::input(format!(
            "{} printed nothing ({status}); open {} in a browser and print it there",
            browser.display(),
            page.display()
        ))),
    }
}
