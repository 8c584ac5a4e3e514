//! From any format to any other.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::write::layers_needed;
use super::{Document, Format, Lost, ReadOptions, WordSource, WriteOptions, Writer, brat, open};
use crate::model::weights::write_atomically;
use crate::text::OffsetUnit;
use crate::{Error, Result};

/// How to convert.
#[derive(Debug, Clone, Default)]
pub struct ConvertOptions {
    /// How to read the input.
    pub read: ReadOptions,
    /// The format of the output; `None` to tell it from its name.
    pub to: Option<Format>,
    /// What offsets in the output count.
    pub offsets: OffsetUnit,
    /// Where words come from when the output needs them and the input has none.
    pub words: WordSource,
    /// Whether to replace an output that exists.
    pub force: bool,
}

/// What was converted.
#[derive(Debug, Clone, Serialize)]
pub struct ConvertReport {
    /// The format of the input.
    pub from: Format,
    /// The format of the output.
    pub to: Format,
    /// Documents read.
    pub documents: usize,
    /// Entities read.
    pub entities: usize,
    /// Lines, sentences or annotations of the input that were invalid and left out.
    pub skipped: usize,
    /// Discontinuous annotations of the input, which were left out.
    pub discontinuous: usize,
    /// What the output format cannot hold.
    pub lost: Lost,
    /// What was left out of the input and why.
    pub notes: Vec<String>,
}

impl ConvertReport {
    /// Adds the counts of another file.
    fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.entities += other.entities;
        self.skipped += other.skipped;
        self.discontinuous += other.discontinuous;
        self.lost.entities += other.lost.entities;
        self.lost.documents += other.lost.documents;
        self.lost.notes.extend(other.lost.notes);
        self.notes.extend(other.notes);
    }
}

/// Reads a file or brat folder and writes it in another format, whole or not at all. A folder of other files becomes a
/// folder in which each of them is converted, under its name; `options.to` must say the format then.
///
/// # Errors
/// Invalid input, an output that exists (unless `force`), an output format that cannot be told.
pub fn convert(input: &Path, output: &Path, options: &ConvertOptions) -> Result<ConvertReport> {
    if input.is_dir() && !brat::is_folder(input)? {
        return convert_files(input, output, options);
    }
    let to = match options.to.or_else(|| Format::of_name(output)) {
        Some(to) => to,
        None => {
            return Err(Error::file(output, "the name does not say the format; name it with --to"));
        }
    };
    if output.exists() && !options.force {
        return Err(Error::file(output, "exists already; --force replaces it"));
    }
    let mut reader = open(input, &options.read)?;
    let mut report = ConvertReport {
        from: reader.format(),
        to,
        documents: 0,
        entities: 0,
        skipped: 0,
        discontinuous: 0,
        lost: Lost::default(),
        notes: Vec::new(),
    };
    let mut counted = reader.by_ref().inspect(|document| {
        if let Ok(document) = document {
            report.documents += 1;
            report.entities += document.entities.len();
        }
    });
    let lost = match to {
        Format::Brat => {
            in_folder(output, |part| write_pairs(part, output, &mut counted, options))?;
            Lost::default()
        }
        _ => write_file(output, to, &mut counted, options)?,
    };
    report.lost = lost;
    report.skipped = reader.skipped();
    report.discontinuous = reader.discontinuous();
    report.notes = reader.notes().to_vec();
    Ok(report)
}

type Documents<'a> = &'a mut dyn Iterator<Item = Result<Document>>;

fn write_file(
    output: &Path,
    to: Format,
    documents: Documents<'_>,
    options: &ConvertOptions,
) -> Result<Lost> {
    let mut write = WriteOptions {
        offsets: options.offsets,
        words: options.words,
        keep_words: true,
        ..WriteOptions::new(to)
    };
    let mut lost = Lost::default();
    let io = |error| Error::io(output, error);
    write_atomically(output, |file| {
        let mut written = 0;
        if to == Format::Conll {
            // all sentences have as many columns as the deepest needs
            let all = documents.collect::<Result<Vec<_>>>()?;
            let layers = all.iter().map(|document| layers_needed(document, options.words)).max();
            write.layers = Some(layers.unwrap_or(1).max(1));
            let mut writer = Writer::new(file, write);
            for document in &all {
                writer.write(document).map_err(io)?;
            }
            written = all.len();
            lost = writer.finish().map_err(io)?;
        } else {
            let mut writer = Writer::new(file, write);
            for document in documents {
                writer.write(&document?).map_err(io)?;
                written += 1;
            }
            lost = writer.finish().map_err(io)?;
        }
        some(written, output)
    })?;
    Ok(lost)
}

fn some(written: usize, output: &Path) -> Result<()> {
    match written {
        0 => Err(Error::file(output, "not written: the input holds no documents")),
        _ => Ok(()),
    }
}

/// Converts all files of a folder into another.
fn convert_files(input: &Path, output: &Path, options: &ConvertOptions) -> Result<ConvertReport> {
    let Some(to) = options.to else {
        return Err(Error::file(
            input,
            "is a folder of files; name the format to convert them to with --to",
        ));
    };
    if output.exists() && !options.force {
        return Err(Error::file(output, "exists already; --force replaces it"));
    }
    let io = |error| Error::io(input, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(input).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    files.sort();
    let mut sum: Option<ConvertReport> = None;
    in_folder(output, |part| {
        for file in &files {
            let name = Path::new(file.file_name().unwrap_or_default());
            let report = convert(file, &part.join(name.with_extension(to.extension())), options)?;
            match &mut sum {
                Some(sum) => sum.add(report),
                None => sum = Some(report),
            }
        }
        match files.is_empty() {
            true => Err(Error::file(input, "the folder holds no files")),
            false => Ok(()),
        }
    })?;
    sum.ok_or_else(|| Error::file(input, "the folder holds no files"))
}

/// Fills a folder beside its place and moves it there.
fn in_folder(output: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if output.exists() {
        replaceable(output)?;
    }
    let part = beside(output, "part")?;
    let io = |error| Error::io(output, error);
    if part.exists() {
        fs::remove_dir_all(&part).map_err(io)?;
    }
    fs::create_dir_all(&part).map_err(io)?;
    let moved = fill(&part).and_then(|()| {
        if !output.exists() {
            return fs::rename(&part, output).map_err(io);
        }
        let old = beside(output, "old")?;
        fs::rename(output, &old).map_err(io)?;
        fs::rename(&part, output).map_err(io)?;
        fs::remove_dir_all(&old).map_err(io)
    });
    if moved.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    moved
}

/// Writes the pairs of a brat folder.
fn write_pairs(
    folder: &Path,
    output: &Path,
    documents: Documents<'_>,
    options: &ConvertOptions,
) -> Result<()> {
    let mut names = std::collections::HashSet::new();
    let mut written = 0;
    for document in documents {
        let document = document?;
        written += 1;
        let name = brat::encoded(
            document.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&written.to_string()),
        );
        // file systems may not tell upper from lower case
        let mut unique = name.clone();
        let mut copy = 2;
        while !names.insert(unique.to_lowercase()) {
            unique = format!("{name}_{copy}");
            copy += 1;
        }
        for (extension, content) in
            [("txt", &document.text), ("ann", &brat::annotations(&document, options.offsets))]
        {
            let path = folder.join(format!("{unique}.{extension}"));
            let mut file = fs::File::create(&path).map_err(|error| Error::io(output, error))?;
            file.write_all(content.as_bytes()).map_err(|error| Error::io(output, error))?;
        }
    }
    some(written, output)
}

/// `.NAME.SUFFIX` in the same folder.
fn beside(output: &Path, suffix: &str) -> Result<PathBuf> {
    let name = output.file_name().ok_or_else(|| Error::file(output, "not the name of a folder"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{suffix}"));
    Ok(output.with_file_name(hidden))
}

/// Only a folder that holds nothing but corpus files is ever replaced.
fn replaceable(output: &Path) -> Result<()> {
    let io = |error| Error::io(output, error);
    if !output.is_dir() {
        return Err(Error::file(output, "is a file, where a brat folder should be written"));
    }
    for entry in fs::read_dir(output).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if !matches!(
            path.extension().and_then(|e| e.to_str()),
            Some("txt" | "ann" | "conf" | "jsonl" | "conll")
        ) {
            return Err(Error::file(
                output,
                format!(
                    "holds {}, which is no corpus, and is not replaced; choose another folder",
                    path.file_name().unwrap_or_default().display()
                ),
            ));
        }
    }
    Ok(())
}
