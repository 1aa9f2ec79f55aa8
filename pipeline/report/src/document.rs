//! A document of sections with figures, tables and drawings: reports of a period, briefs and dossiers. It reads on a screen, prints
//! on A4 and needs nothing from outside; words come in from the caller, in whatever language.

mod drawing;
mod map;

use askama::Template;

use crate::error::ReportError;
use crate::ledger::width;
use crate::report::format::{jpeg_uri, show_hidden_characters};

pub use drawing::{Bars, Strip, StripMark, Tone};
pub use map::{Area, Dot, Frame, Key, MapDrawing, Underlay};

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Language of its texts ("en", "zh-CN").
    pub language: &'static str,
    /// Title.
    pub title: String,
    /// Under the title.
    pub subtitle: String,
    /// What must be read first: that nothing here is a verdict, that imagery is painted.
    pub notices: Vec<String>,
    /// What made it.
    pub generator: String,
    /// Sections in their order.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Heading.
    pub heading: String,
    /// What it says, and what to know when reading it.
    pub lead: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
    /// How it lies on paper.
    pub sheet: Sheet,
}

/// How a section lies on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sheet {
    /// After what stands before it.
    #[default]
    GoesOn,
    /// On a new sheet.
    New,
    /// On new sheets across, for wide tables.
    Across,
}

impl Sheet {
    const fn class(self) -> &'static str {
        match self {
            Self::GoesOn => "",
            Self::New => "new-sheet",
            Self::Across => "across",
        }
    }
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Key figures.
    Figures(Vec<DocumentFigure>),
    /// A table.
    Table(DocumentTable),
    /// One drawing over the whole width.
    Map(MapDrawing),
    /// Small drawings of one kind, beside each other: on the same scale, so that they can be compared.
    Multiples(Vec<MapDrawing>),
    /// Small bar charts beside each other, on the same scale.
    BarMultiples(Vec<Bars>),
    /// Places along a river.
    Strip(Strip),
    /// One place over several dates.
    Series(PlaceSeries),
    /// A paragraph.
    Text(String),
}

/// One place over several dates: small pictures beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceSeries {
    /// What it is.
    pub title: String,
    /// What to know of it.
    pub facts: Vec<String>,
    /// The dates, the earliest first.
    pub dates: Vec<PlaceDate>,
}

/// A place at a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceDate {
    /// The date.
    pub date: String,
    /// What to know of it: the sensor, that it was not observed.
    pub note: String,
    /// What the date is in the comparison that raised the patch ("before", "after"), where it is one of both.
    pub role: Option<String>,
    /// The picture (JPEG); `None` where there is none to be had.
    pub jpeg: Option<Vec<u8>>,
}

impl PlaceDate {
    fn source(&self) -> Option<String> {
        self.jpeg.as_deref().map(jpeg_uri)
    }
}

/// A key figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFigure {
    /// The figure.
    pub value: String,
    /// What it counts.
    pub label: String,
    /// What to know of it.
    pub note: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentTable {
    /// Caption.
    pub caption: String,
    /// Headers.
    pub headers: Vec<String>,
    /// Which columns hold numbers.
    pub numeric: Vec<bool>,
    /// Rows.
    pub rows: Vec<Vec<DocumentCell>>,
    /// What stands there where it has no rows.
    pub empty: String,
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentCell {
    /// Its text.
    pub text: String,
    /// Where it leads; only `https:` links are drawn as such.
    pub link: Option<String>,
}

impl<T: Into<String>> From<T> for DocumentCell {
    fn from(text: T) -> Self {
        Self { text: text.into(), link: None }
    }
}

impl DocumentCell {
    /// A text that leads somewhere.
    #[must_use]
    pub fn linked(text: impl Into<String>, link: impl Into<String>) -> Self {
        Self { text: text.into(), link: Some(link.into()) }
    }

    /// Numbers, dates and codes stay on one line, and so do words of a few characters: Chinese would break after each of them.
    fn stays_on_one_line(&self) -> bool {
        let is_code = self.text.len() <= 24
            && self.text.is_ascii()
            && (!self.text.contains(' ') || self.text.starts_with(|first: char| first.is_ascii_digit()));
        is_code || self.text.chars().count() <= 6
    }

    /// Sentences and lists want some width, or they become a column of single words.
    fn wants_width(&self) -> bool {
        width(&self.text) > 24
    }

    /// A phrase in Chinese may break after every character: half a dozen of them keep together.
    fn is_phrase(&self) -> bool {
        !self.text.is_ascii() && width(&self.text) > 12
    }

    fn safe_link(&self) -> Option<&str> {
        self.link.as_deref().filter(|link| link.starts_with("https://"))
    }
}

#[derive(Template)]
#[template(path = "document.html")]
struct Page<'a> {
    document: &'a Document,
}

impl Page<'_> {
    fn is_numeric(table: &DocumentTable, column: &usize) -> bool {
        table.numeric.get(*column).copied().unwrap_or(false)
    }

    /// A table of a few rows of one line each is not torn apart by the end of a sheet.
    const fn is_short(table: &DocumentTable) -> bool {
        table.rows.len() <= 14 && table.headers.len() <= 6
    }

    /// The last line stays on the sheet of the last section: another kind of sheet would be a new one.
    fn foot(&self) -> &'static str {
        match self.document.sections.last().map(|section| section.sheet) {
            Some(Sheet::Across) => "across",
            _ => "",
        }
    }
}

/// Writes the page: no script, no network, nothing outside the text returned. The same document always gives the same text.
///
/// # Errors
/// The template could not be filled.
pub fn render_document(document: &Document) -> Result<String, ReportError> {
    Ok(show_hidden_characters(&Page { document }.render()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(cell: DocumentCell) -> Document {
        Document {
            language: "zh-CN",
            title: "月报 <b>".to_owned(),
            subtitle: "2024-03".to_owned(),
            notices: vec!["疑似".to_owned()],
            generator: "shorewatch".to_owned(),
            sections: vec![Section {
                heading: "列表".to_owned(),
                lead: String::new(),
                sheet: Sheet::Across,
                blocks: vec![
                    Block::Table(DocumentTable {
                        caption: "图斑".to_owned(),
                        headers: vec!["a".to_owned(), "b".to_owned()],
                        numeric: vec![false, true],
                        rows: vec![vec![cell, "1".into()]],
                        empty: String::new(),
                    }),
                    Block::Map(MapDrawing {
                        title: "<i>".to_owned(),
                        areas: vec![Area {
                            outline: vec![(108.0, 22.0), (108.1, 22.0), (108.1, 22.1)],
                            label: "一".to_owned(),
                        }],
                        dots: vec![Dot { at: (108.05, 22.05), tone: Tone::Major, label: "1".to_owned() }],
                        legend: vec![(Key::Place(Tone::Major), "重大".to_owned())],
                        height_px: 200,
                        underlay: Underlay::Plain,
                        extent: None,
                    }),
                    Block::Series(PlaceSeries {
                        title: "1".to_owned(),
                        facts: vec!["甲县".to_owned()],
                        dates: vec![
                            PlaceDate {
                                date: "2024-03-15".to_owned(),
                                note: String::new(),
                                role: Some("前时相".to_owned()),
                                jpeg: Some(vec![1, 2, 3]),
                            },
                            PlaceDate {
                                date: "2024-06-15".to_owned(),
                                note: "影像无法读取".to_owned(),
                                role: None,
                                jpeg: None,
                            },
                        ],
                    }),
                ],
            }],
        }
    }

    #[test]
    fn the_page_is_well_formed_and_nothing_in_it_runs() {
        let page = render_document(&document("<script>x</script>".into())).expect("a page");
        roxmltree::Document::parse_with_options(
            &page,
            roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() },
        )
        .unwrap_or_else(|fault| panic!("{fault}: {page}"));
        assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("<i>"), "{page}");
        assert!(page.contains("lang=\"zh-CN\"") && page.contains("重大"));
        assert_eq!(page.matches("<img").count(), 1, "a date without a picture has none");
        assert!(page.contains("影像无法读取") && page.contains("alt=\"1, 2024-03-15\""), "{page}");
    }

    #[test]
    fn only_https_is_a_link() {
        let linked =
            render_document(&document(DocumentCell::linked("go", "https://uri.amap.com/x?a=1&b=2"))).expect("a page");
        assert!(linked.contains("href=\"https://uri.amap.com/x?a=1&#38;b=2\""), "{linked}");
        let script = render_document(&document(DocumentCell::linked("go", "javascript:alert(1)"))).expect("a page");
        assert!(!script.contains("javascript:") && script.contains("go"));
    }

    #[test]
    fn hidden_characters_are_spelt_out() {
        let page = render_document(&document("a\u{202E}b".into())).expect("a page");
        assert!(page.contains("a⟨U+202E⟩b"));
    }
}
