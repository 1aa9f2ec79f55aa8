//! Faults of configuration files: all of them at once, each with file and line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// Where in a file a fault lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlace {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Offset of the first byte.
    pub offset: usize,
    /// Length in bytes.
    pub length: usize,
}

/// One fault.
#[derive(Clone, Debug)]
pub struct ConfigurationFault {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// Where in it; `None` where the file as a whole is meant (it cannot be read).
    pub place: Option<FaultPlace>,
    /// What is wrong: what was expected and what was found.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    pub(super) source: Option<Arc<NamedSource<String>>>,
}

impl ConfigurationFault {
    /// A fault of a file as a whole.
    pub(super) fn of_file(file: &Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, message: message.into(), help: Some(help.into()), source: None }
    }

    /// One line: `FILE:LINE:COLUMN: message (help)`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = self.file.display().to_string();
        if let Some(place) = &self.place {
            text += &format!(":{}:{}", place.line, place.column);
        }
        text += ": ";
        text += &self.message;
        if let Some(help) = &self.help {
            text += &format!(" ({help})");
        }
        text
    }

    fn order(&self) -> (&Path, usize) {
        (&self.file, self.place.as_ref().map_or(0, |place| place.offset))
    }
}

impl fmt::Display for ConfigurationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_none() {
            write!(f, "{}: ", self.file.display())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigurationFault {}

impl Diagnostic for ConfigurationFault {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline((place.offset, place.length)))))
    }
}

/// Every fault that was found; never empty. Nothing was started.
///
/// Its `Display` lists one fault a line with file, line and column. As a [`miette::Diagnostic`] it carries the lines
/// of the files too; [`ConfigurationFaults::render`] draws them.
#[derive(Clone, Debug)]
pub struct ConfigurationFaults {
    faults: Vec<ConfigurationFault>,
}

impl ConfigurationFaults {
    /// `Err` with the faults in order of file and line, or `Ok` with the value where there is none.
    pub(super) fn unless_empty<T>(faults: Vec<ConfigurationFault>, value: T) -> Result<T, Self> {
        if faults.is_empty() { Ok(value) } else { Err(Self::sorted(faults)) }
    }

    /// The faults in order of file and line.
    pub(super) fn sorted(mut faults: Vec<ConfigurationFault>) -> Self {
        faults.sort_by(|a, b| a.order().cmp(&b.order()));
        Self { faults }
    }

    /// The faults in order of file and line.
    #[must_use]
    pub fn faults(&self) -> &[ConfigurationFault] {
        &self.faults
    }

    /// The faults with the lines they stand on, for a terminal.
    #[must_use]
    pub fn render(&self, width_columns: usize, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width_columns).with_context_lines(1);
        let mut text = String::new();
        for fault in &self.faults {
            if handler.render_report(&mut text, fault).is_err() {
                text += &fault.line();
                text.push('\n');
            }
        }
        text
    }

    fn summary(&self) -> String {
        match self.faults.len() {
            1 => "the configuration has a fault; nothing was started".to_owned(),
            count => format!("the configuration has {count} faults; nothing was started"),
        }
    }
}

impl fmt::Display for ConfigurationFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {}", fault.line()))
    }
}

impl std::error::Error for ConfigurationFaults {}

impl Diagnostic for ConfigurationFaults {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.faults.iter().map(|fault| fault as &dyn Diagnostic)))
    }
}
