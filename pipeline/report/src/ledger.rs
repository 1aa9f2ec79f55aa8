//! The ledger of suspected problems as a table for spreadsheets: CSV and Excel, safe to open.
//!
//! Text that a spreadsheet would take for a formula gets an apostrophe before it; characters that are not seen, or that turn the
//! direction of writing, are spelt out. Areas have two decimals, lengths one.

use rust_xlsxwriter::{Format, FormatAlign, Workbook, XlsxError};

use crate::report::format::show_hidden_characters;

/// The byte order mark that tells spreadsheets that a CSV file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Widest column in characters.
const WIDEST: usize = 40;

/// One value of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text of whatever origin.
    Text(String),
    /// A number with its decimals.
    Number(f64, u8),
    /// Nothing is known.
    Missing,
}

/// A ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Name of the sheet.
    pub title: String,
    /// What a reader must know, above the table of the workbook.
    pub notice: String,
    /// Headers of the columns.
    pub headers: Vec<String>,
    /// Rows, each as long as the headers.
    pub rows: Vec<Vec<Cell>>,
}

/// Why a ledger could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A row is not as long as the headers.
    #[error("row {row} of the ledger has {got} values where {expected} were expected")]
    Row {
        /// Which, from 1.
        row: usize,
        /// Number of headers.
        expected: usize,
        /// Number of its values.
        got: usize,
    },
    /// The table could not be written as CSV.
    #[error("the ledger could not be written as CSV")]
    Csv(#[source] csv::Error),
    /// The workbook could not be written.
    #[error("the workbook of the ledger could not be written")]
    Workbook(#[from] XlsxError),
}

impl Ledger {
    fn check(&self) -> Result<(), LedgerError> {
        let expected = self.headers.len();
        match self.rows.iter().position(|row| row.len() != expected) {
            None => Ok(()),
            Some(row) => Err(LedgerError::Row { row: row + 1, expected, got: self.rows[row].len() }),
        }
    }
}

/// The ledger as CSV (RFC 4180) in UTF-8 with a byte order mark.
///
/// # Errors
/// Rows that do not fit the headers.
pub fn ledger_csv(ledger: &Ledger) -> Result<Vec<u8>, LedgerError> {
    ledger.check()?;
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(BYTE_ORDER_MARK.to_vec());
    table.write_record(ledger.headers.iter().map(|header| safe_text(header))).map_err(LedgerError::Csv)?;
    for row in &ledger.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => safe_text(text),
            Cell::Number(number, decimals) => decimal(*number, *decimals),
            Cell::Missing => String::new(),
        });
        table.write_record(cells).map_err(LedgerError::Csv)?;
    }
    table.into_inner().map_err(|fault| LedgerError::Csv(fault.into_error().into()))
}

/// The ledger as an Excel workbook (Office Open XML). The same ledger gives the same bytes.
///
/// # Errors
/// Rows that do not fit the headers, more than a sheet holds, or a text longer than a cell holds.
pub fn ledger_workbook(ledger: &Ledger) -> Result<Vec<u8>, LedgerError> {
    ledger.check()?;
    let mut workbook = Workbook::new();
    let fixed = rust_xlsxwriter::ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&fixed));
    let sheet = workbook.add_worksheet();
    sheet.set_name(&ledger.title)?;
    let notice = Format::new().set_bold();
    let header = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top).set_background_color("E8EEF1");
    sheet.write_string_with_format(0, 0, safe_text(&ledger.notice), &notice)?;
    let mut widths: Vec<usize> = Vec::new();
    for (column, text) in ledger.headers.iter().enumerate() {
        sheet.write_string_with_format(1, column as u16, safe_text(text), &header)?;
        widths.push(width(text).min(WIDEST / 2));
    }
    let formats: Vec<Format> = ["0", "0.0", "0.00", "0.000", "0.0000", "0.00000", "0.000000"]
        .iter()
        .map(|pattern| Format::new().set_num_format(*pattern))
        .collect();
    for (number, row) in ledger.rows.iter().enumerate() {
        let row_number = number as u32 + 2;
        for (column, cell) in row.iter().enumerate() {
            match cell {
                Cell::Text(text) => {
                    let text = safe_text(text);
                    widths[column] = widths[column].max(width(&text));
                    sheet.write_string(row_number, column as u16, text)?;
                }
                Cell::Number(value, decimals) => {
                    let format = &formats[usize::from(*decimals).min(formats.len() - 1)];
                    widths[column] = widths[column].max(decimal(*value, *decimals).len());
                    sheet.write_number_with_format(row_number, column as u16, rounded(*value, *decimals), format)?;
                }
                Cell::Missing => {}
            }
        }
    }
    for (column, width) in widths.into_iter().enumerate() {
        sheet.set_column_width(column as u16, (width.min(WIDEST) + 2) as f64)?;
    }
    if !ledger.headers.is_empty() {
        sheet.autofilter(1, 0, ledger.rows.len() as u32 + 1, ledger.headers.len() as u16 - 1)?;
    }
    sheet.set_freeze_panes(2, 1)?;
    sheet.set_landscape().set_repeat_rows(1, 1)?;
    Ok(workbook.save_to_buffer()?)
}

/// Text that no spreadsheet takes for a formula, and that hides nothing.
#[must_use]
pub fn safe_text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let shown = show_hidden_characters(text);
    if is_formula { format!("'{shown}") } else { shown }
}

fn decimal(number: f64, decimals: u8) -> String {
    let text = format!("{number:.*}", usize::from(decimals));
    // -0.00 is nothing
    if text.trim_start_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-').to_owned() } else { text }
}

/// A number as a ledger tells it: with so many decimals.
#[must_use]
pub fn rounded(number: f64, decimals: u8) -> f64 {
    decimal(number, decimals).parse().unwrap_or(number)
}

/// Width of a text: characters of Chinese are twice as wide.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|character| if character as u32 >= 0x1100 { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        Ledger {
            title: "台账".to_owned(),
            notice: "疑似".to_owned(),
            headers: vec!["图斑编号".to_owned(), "面积（平方米）".to_owned(), "备注".to_owned()],
            rows: vec![
                vec![
                    Cell::Text("450702-20240315-0001".to_owned()),
                    Cell::Number(1234.567, 2),
                    Cell::Text("=HYPERLINK(\"http://x\")".to_owned()),
                ],
                vec![Cell::Missing, Cell::Number(-0.001, 2), Cell::Text("a\u{202E}b, \"c\"".to_owned())],
            ],
        }
    }

    #[test]
    fn the_table_opens_in_a_spreadsheet_and_runs_nothing() {
        let bytes = ledger_csv(&ledger()).expect("written");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let expected = "\u{FEFF}图斑编号,面积（平方米）,备注\r\n450702-20240315-0001,1234.57,\"'=HYPERLINK(\"\"http://x\"\")\"\r\n,0.00,\"a⟨U+202E⟩b, \"\"c\"\"\"\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_way_to_begin_a_formula_is_disarmed() {
        for start in ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1"] {
            let safe = safe_text(start);
            assert!(safe.starts_with('\''), "{start:?} became {safe:?}");
        }
        assert_eq!(safe_text("青龙河"), "青龙河");
    }

    #[test]
    fn a_workbook_is_a_zip_and_the_same_each_time() {
        let bytes = ledger_workbook(&ledger()).expect("written");
        assert_eq!(&bytes[..2], b"PK");
        assert_eq!(bytes, ledger_workbook(&ledger()).expect("written"));
    }

    #[test]
    fn rows_must_fit_the_headers() {
        let mut ledger = ledger();
        ledger.rows[1].pop();
        assert!(ledger_csv(&ledger).expect_err("refused").to_string().contains("row 2 of the ledger has 2 values"));
        assert!(ledger_workbook(&ledger).is_err());
    }
}
