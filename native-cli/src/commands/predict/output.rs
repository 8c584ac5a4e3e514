//! Writes recognised documents one after another.

use std::io::{BufWriter, Stdout, Write};

use innerspan::data::{self, Document, WriteOptions};
use innerspan::recognizer::Recognizer;
use innerspan::text::{OffsetMap, OffsetUnit};

use super::Format;
use crate::failure::Failure;
use crate::render::terminal::TerminalStyle;
use crate::render::{Palette, html, terminal};

/// Writes to standard output.
pub struct Writer {
    stdout: BufWriter<Stdout>,
    format: Format,
    offsets: OffsetUnit,
    style: TerminalStyle,
    /// Annotations written so far, which brat numbers.
    numbered: usize,
}

impl Writer {
    /// Writes what comes before the first document.
    pub fn new(format: Format, offsets: OffsetUnit, model: &Recognizer) -> Result<Self, Failure> {
        let palette = Palette::of(model.labels().iter());
        let style = TerminalStyle { scores: true, ..TerminalStyle::detect(palette) };
        let stdout = BufWriter::new(std::io::stdout());
        let mut writer = Self { stdout, format, offsets, style, numbered: 0 };
        if format == Format::Html {
            let legend = html::legend(&writer.style.palette).into_string();
            writer.put(&(html::page_begin("Entities") + &legend))?;
        }
        Ok(writer)
    }

    /// Writes a document, before whose text `at` code points stand in its source.
    pub fn write(&mut self, at: usize, document: &Document) -> Result<(), Failure> {
        let text = match self.format {
            Format::Highlight => terminal::highlight(document, &self.style) + "\n",
            Format::Jsonl => return self.write_as(data::Format::Jsonl, document),
            Format::Conll => return self.write_as(data::Format::Conll, document),
            Format::Brat => self.standoff(at, document),
            Format::Html => {
                let marked = html::highlight(document, &self.style.palette).into_string();
                format!("<p class=\"sentence\">{marked}</p>\n")
            }
        };
        self.put(&text)
    }

    /// Hands on what was written.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.stdout.flush().map_err(Failure::stdout)
    }

    /// Writes what comes after the last document.
    pub fn finish(mut self) -> Result<(), Failure> {
        if self.format == Format::Html {
            self.put(html::PAGE_END)?;
        }
        self.flush()
    }

    fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.stdout.write_all(text.as_bytes()).map_err(Failure::stdout)
    }

    fn write_as(&mut self, format: data::Format, document: &Document) -> Result<(), Failure> {
        let options = WriteOptions { offsets: self.offsets, ..WriteOptions::new(format) };
        data::Writer::new(&mut self.stdout, options).write(document).map_err(Failure::stdout)
    }

    /// brat's lines for a document's entities.
    fn standoff(&mut self, at: usize, document: &Document) -> String {
        let map = OffsetMap::new(&document.text, OffsetUnit::Codepoint);
        let mut lines = String::new();
        for entity in &document.entities {
            self.numbered += 1;
            let (start, end) = (at + map.from_byte(entity.start), at + map.from_byte(entity.end));
            let text = document.text_of(entity).replace(['\n', '\r', '\t'], " ");
            lines += &format!("T{}\t{} {start} {end}\t{text}\n", self.numbered, entity.label);
        }
        lines
    }
}
