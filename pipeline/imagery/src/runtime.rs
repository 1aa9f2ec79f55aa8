//! GDAL set up once, for untrusted files: few drivers, no network, no side files, nothing on standard error.

#![expect(unsafe_code, reason = "switching PROJ's network access off has no safe wrapper")]

use std::cell::RefCell;
use std::sync::Once;

use gdal::DriverManager;
use gdal::config::{set_config_option, set_error_handler};
use gdal::errors::CplErrType;

/// Raster drivers that delivered files may be opened with.
pub const RASTER_DRIVERS: [&str; 4] = ["GTiff", "JP2OpenJPEG", "JPEG", "PNG"];

/// Vector drivers that delivered files may be opened with. GML is not among them: that driver fetches schemas from the
/// network and writes files beside the one that it reads.
pub const VECTOR_DRIVERS: [&str; 7] =
    ["GPKG", "ESRI Shapefile", "GeoJSON", "GeoJSONSeq", "FlatGeobuf", "KML", "OpenFileGDB"];

/// Drivers that we write with, or that others need inside.
const INTERNAL_DRIVERS: [&str; 2] = ["COG", "MEM"];

/// GDAL's options, for the life of the process. The reasons stand beside them.
const OPTIONS: [(&str, &str); 9] = [
    // pixels are cached once, in our own block cache
    ("GDAL_CACHEMAX", "16"),
    // files beside the image are neither searched for nor believed
    ("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR"),
    // no .aux.xml is read or written
    ("GDAL_PAM_ENABLED", "NO"),
    // no plug-ins from the environment
    ("GDAL_DRIVER_PATH", "disable"),
    // no request leaves the machine, whatever a file says
    ("CPL_VSIL_CURL_ALLOWED_FILENAME", "none"),
    ("GDAL_HTTP_TIMEOUT", "1"),
    ("PROJ_NETWORK", "OFF"),
    // a GeoPackage cannot reach other files
    ("OGR_SQLITE_ALLOW_EXTERNAL_ACCESS", "NO"),
    // GeoJSON features of any size (ours are bounded by the file's size)
    ("OGR_GEOJSON_MAX_OBJ_SIZE", "200"),
];

thread_local! {
    static COLLECTED: RefCell<Vec<Vec<Message>>> = const { RefCell::new(Vec::new()) };
}

/// Sets GDAL up; the first call does it, every other one returns at once. Everything in this crate calls it.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_error_handler(route);
        for (key, value) in OPTIONS {
            if let Err(error) = set_config_option(key, value) {
                tracing::error!(key, value, %error, "cannot set a GDAL option");
            }
        }
        // SAFETY: sets a process-wide switch of PROJ; takes no pointer and cannot fail.
        unsafe { gdal_sys::OSRSetPROJEnableNetwork(0) };
        DriverManager::register_all();
        let unwanted: Vec<_> = DriverManager::all().filter(|driver| !is_wanted(&driver.short_name())).collect();
        for driver in &unwanted {
            DriverManager::deregister_driver(driver);
        }
    });
}

fn is_wanted(name: &str) -> bool {
    RASTER_DRIVERS.contains(&name) || VECTOR_DRIVERS.contains(&name) || INTERNAL_DRIVERS.contains(&name)
}

/// Something that GDAL raised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    /// An error, not a warning. GDAL 3.6 returns success from closing a file that could not be written: only its
    /// messages tell.
    pub(crate) is_error: bool,
    /// GDAL's words.
    pub(crate) text: String,
}

/// Runs `work` and returns its result together with the warnings and errors that GDAL raised on this thread meanwhile.
pub fn collect_messages<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let (result, messages) = collect(work);
    (result, messages.into_iter().map(|message| message.text).collect())
}

/// As [`collect_messages`], with their class.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Vec<Message>) {
    init();
    /// Takes the collector away again even when `work` panics.
    struct Collector;
    impl Drop for Collector {
        fn drop(&mut self) {
            COLLECTED.with_borrow_mut(Vec::pop);
        }
    }
    COLLECTED.with_borrow_mut(|stack| stack.push(Vec::new()));
    let collector = Collector;
    let result = work();
    let messages = COLLECTED.with_borrow_mut(|stack| stack.last_mut().map(std::mem::take)).unwrap_or_default();
    drop(collector);
    (result, messages)
}

/// Sends a message of GDAL to the collector of this thread, or to the log where there is none.
fn route(class: CplErrType, number: i32, message: &str) {
    if matches!(class, CplErrType::None | CplErrType::Debug) {
        tracing::trace!(number, message, "GDAL");
        return;
    }
    let collected = COLLECTED.with_borrow_mut(|stack| {
        let Some(top) = stack.last_mut() else { return false };
        // one damaged file can raise the same message for every block
        if top.len() < 64 && top.last().is_none_or(|last| last.text != message) {
            top.push(Message { is_error: class != CplErrType::Warning, text: message.to_owned() });
        }
        true
    });
    if collected {
        tracing::debug!(number, message, "GDAL");
    } else if class == CplErrType::Warning {
        tracing::debug!(number, message, "GDAL warning");
    } else {
        tracing::warn!(number, message, "GDAL error");
    }
}

/// GDAL's words for a failure: what it raised meanwhile, else the wrapper's own.
pub(crate) fn words(messages: &[String], fallback: &impl ToString) -> String {
    if messages.is_empty() { fallback.to_string() } else { messages.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wanted_drivers_are_left_and_messages_are_collected() {
        init();
        let names: Vec<String> = DriverManager::all().map(|driver| driver.short_name()).collect();
        assert!(names.iter().all(|name| is_wanted(name)), "{names:?}");
        for name in RASTER_DRIVERS.iter().chain(&VECTOR_DRIVERS).chain(&INTERNAL_DRIVERS) {
            assert!(names.iter().any(|other| other == name), "this GDAL lacks the driver {name}");
        }
        let (result, messages) = collect_messages(|| gdal::spatial_ref::SpatialRef::from_epsg(99_999));
        assert!(result.is_err() && messages.len() == 1, "{messages:?}");
        assert!(collect_messages(|| ()).1.is_empty());
    }
}
