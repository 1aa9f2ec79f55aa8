//! Texts in encodings other than UTF-8, and texts that were read in the wrong one.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8};

/// The text of bytes. A byte order mark goes before the named encoding; without a name it is UTF-8.
pub(super) fn decoded(bytes: &[u8], name: Option<&str>) -> Result<String, String> {
    let encoding = match name {
        Some(name) => Encoding::for_label(name.as_bytes())
            .ok_or_else(|| format!("unknown encoding {name:?}; known are UTF-8, GBK, GB18030, Big5 and others"))?,
        None => UTF_8,
    };
    let (text, used, faulty) = encoding.decode(bytes);
    if faulty {
        let next = if name.is_some() { "name the right one" } else { "name it, for example encoding = \"GBK\"" };
        return Err(format!("is no text in {}; {next}", used.name()));
    }
    Ok(text.into_owned())
}

/// What is wrong with the texts of a row, if they were read in the wrong encoding.
pub(super) fn garbled(values: &BTreeMap<String, String>, named: Option<&str>) -> Option<String> {
    let next = "name the encoding, for example encoding = \"GBK\"";
    values.iter().find_map(|(column, value)| {
        if value.contains('\u{FFFD}') {
            let read_as = named.map_or_else(|| "as the file says".to_owned(), |name| format!("as {name}"));
            return Some(format!("field {column:?}: {value:?} is no text when read {read_as}; {next}"));
        }
        // Chinese in GBK, taken for Latin-1, is a run of pairs of letters with accents
        let is_latin = |c: char| ('\u{80}'..='\u{FF}').contains(&c);
        let longest = value.split(|c| !is_latin(c)).map(|run| run.chars().count()).max().unwrap_or(0);
        (named.is_none() && longest >= 4).then(|| {
            format!("field {column:?}: {value:?} looks like text read in the wrong encoding; {next}, or \"ISO-8859-1\" if it is right")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_the_named_encoding_or_refused() {
        let gbk = [0xC7, 0xE0, 0xB4, 0xA8]; // 青川
        assert_eq!(decoded(&gbk, Some("GBK")).expect("GBK"), "青川");
        assert!(decoded(&gbk, None).expect_err("not UTF-8").contains("encoding = \"GBK\""));
        assert_eq!(decoded("\u{FEFF}青川".as_bytes(), Some("GBK")).expect("its mark says UTF-8"), "青川");
        assert!(decoded(&gbk, Some("GKB")).expect_err("a slip").contains("unknown encoding"));
    }

    #[test]
    fn garbled_texts_are_noticed() {
        let row = |value: &str| BTreeMap::from([("mc".to_owned(), value.to_owned())]);
        assert!(garbled(&row("ÇàË®ºÓ"), None).is_some(), "清水河 in GBK as Latin-1");
        assert!(garbled(&row("ÇàË®ºÓ"), Some("ISO-8859-1")).is_none(), "if the user says so");
        assert!(garbled(&row("a\u{FFFD}"), Some("GBK")).is_some());
        assert!(garbled(&row("Río Ucayali, pêche à l'île"), None).is_none());
        assert!(garbled(&row("清水河"), None).is_none());
    }
}
