//! What a file is by its first bytes, before GDAL touches it.
//!
//! A VRT named `.tif` reads other files and makes requests when it is merely opened, so the name never decides.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{FileFault, ImageryError};

/// Bytes that are looked at.
const HEAD: u64 = 1024;

/// A raster format that is accepted, with the only driver that may open it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Format {
    /// For people.
    pub(crate) name: &'static str,
    /// GDAL's short name.
    pub(crate) driver: &'static str,
}

const TIFF: Format = Format { name: "TIFF", driver: "GTiff" };
const JPEG_2000: Format = Format { name: "JPEG 2000", driver: "JP2OpenJPEG" };
const JPEG: Format = Format { name: "JPEG", driver: "JPEG" };
const PNG: Format = Format { name: "PNG", driver: "PNG" };

/// Accepted signatures.
const ACCEPTED: [(&[u8], Format); 8] = [
    (b"II\x2a\0", TIFF),
    (b"MM\0\x2a", TIFF),
    (b"II\x2b\0", TIFF),
    (b"MM\0\x2b", TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
];

/// Signatures that are worth a name in the refusal.
const REFUSED: [(&[u8], &str); 14] = [
    (b"PK\x03\x04", "a ZIP archive (unpack it first)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "gzip data (unpack it first)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive (unpack it first)"),
    (b"Rar!", "a RAR archive (unpack it first)"),
    (b"BZh", "bzip2 data (unpack it first)"),
    (b"SQLite format 3", "an SQLite or GeoPackage file"),
    (b"\x89HDF", "an HDF5 or netCDF file"),
    (b"CDF", "a netCDF file"),
    (b"NITF", "a NITF file"),
    (b"%PDF", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a RIFF file (WebP or the like)"),
    (b"EHFA_HEADER", "an Erdas Imagine file"),
];

/// Recognises the format of a regular file by its first bytes.
pub(crate) fn sniff(path: &Path) -> Result<Format, ImageryError> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|error| ImageryError::io(path, "open", error))?;
    file.take(HEAD).read_to_end(&mut head).map_err(|error| ImageryError::io(path, "read", error))?;
    recognise(&head).map_err(|fault| ImageryError::file(path, fault))
}

fn recognise(head: &[u8]) -> Result<Format, FileFault> {
    if head.is_empty() {
        return Err(FileFault::Empty);
    }
    if let Some((_, format)) = ACCEPTED.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Ok(*format);
    }
    let refused = |found| Err(FileFault::NotARaster { found });
    if let Some((_, found)) = REFUSED.iter().find(|(signature, _)| head.starts_with(signature)) {
        return refused(found);
    }
    if head.iter().all(|&byte| byte == 0) {
        return refused("only zero bytes (a copy that was cut off?)");
    }
    let text = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    refused(if text.starts_with("<vrtdataset") || (text.starts_with("<?xml") && text.contains("<vrtdataset")) {
        "a GDAL virtual dataset (VRT), which may reach other files and the network"
    } else if text.starts_with("<!doctype html") || text.contains("<html") {
        "an HTML page (a login or error page saved under this name?)"
    } else if text.starts_with('<') {
        "an XML document"
    } else if text.starts_with('{') || text.starts_with('[') {
        "JSON text"
    } else if ACCEPTED.iter().any(|(signature, _)| signature.starts_with(head)) {
        "a header of less than four bytes (a copy that was cut off?)"
    } else if head.iter().all(|&byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        "plain text"
    } else {
        "unknown binary data"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], expected: &str) {
        match recognise(head) {
            Ok(format) => assert_eq!(format.name, expected),
            Err(fault) => assert!(fault.to_string().contains(expected), "expected {expected:?} in {fault}"),
        }
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        check(b"II\x2a\0\x08\0\0\0", "TIFF");
        check(b"MM\0\x2b\0\x08", "TIFF");
        check(b"\0\0\0\x0cjP  \r\n\x87\n\0\0", "JPEG 2000");
        check(b"\xff\x4f\xff\x51\0", "JPEG 2000");
        check(b"\xff\xd8\xff\xe0", "JPEG");
        check(b"\x89PNG\r\n\x1a\n", "PNG");
        check(b"", "0 bytes");
        check(b"<VRTDataset rasterXSize=\"1\">", "VRT");
        check(b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<VRTDataset>", "VRT");
        check(b"<!DOCTYPE html><html>", "HTML");
        check(b"<GDAL_WMS>", "XML");
        check(b"PK\x03\x04....", "ZIP");
        check(b"II", "cut off");
        check(&[0; 64], "zero bytes");
        check(b"hello", "plain text");
        check(b"\x01\x02\x03\x04", "unknown binary");
    }
}
