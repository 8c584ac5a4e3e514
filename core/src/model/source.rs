//! Where the files of a model lie: a folder, or memory (a browser has only that).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Error, Result};

/// The files of a model or encoder, by name.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// A folder on disk.
    Folder(PathBuf),
    /// Files that are already in memory.
    Memory(MemoryFolder),
}

/// A folder of files that are in memory.
#[derive(Debug, Clone)]
pub struct MemoryFolder {
    /// By path.
    files: Arc<BTreeMap<String, Vec<u8>>>,
    /// What the paths of this folder's files begin with: nothing, or names that each end in a slash.
    path: String,
}

impl MemoryFolder {
    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    fn get(&self, name: &str) -> Option<&Vec<u8>> {
        self.files.get(&self.path(name))
    }
}

/// The whole content of a small file.
pub type Bytes<'a> = Cow<'a, [u8]>;

impl ModelSource {
    /// The folder `path`.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::Folder(path.into())
    }

    /// Files in memory, by name; those of a folder inside begin with its name and a slash.
    pub fn memory(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::Memory(MemoryFolder { files: Arc::new(files), path: String::new() })
    }

    /// The folder `name` inside.
    pub fn inside(&self, name: &str) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(folder.join(name)),
            Self::Memory(MemoryFolder { files, path }) => {
                Self::Memory(MemoryFolder { files: files.clone(), path: format!("{path}{name}/") })
            }
        }
    }

    /// The content of the file `name`; `None` if there is no such file.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Bytes<'_>>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                match std::fs::read(&path) {
                    Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
                    Err(error) if absent(&error) => Ok(None),
                    Err(error) => Err(Error::io(path, error)),
                }
            }
            Self::Memory(files) => Ok(files.get(name).map(|bytes| Cow::Borrowed(bytes.as_slice()))),
        }
    }

    /// The content of the file `name`.
    ///
    /// # Errors
    /// Also when there is no such file, or no such folder.
    pub fn require(&self, name: &str) -> Result<Bytes<'_>> {
        match self.read(name)? {
            Some(bytes) => Ok(bytes),
            None => Err(self.missing(name)),
        }
    }

    /// The file `name` for reading in pieces; `None` if there is no such file.
    ///
    /// # Errors
    /// A file that is there and cannot be opened.
    pub fn open(&self, name: &str) -> Result<Option<Blob<'_>>> {
        let content = match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                match File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))) {
                    Ok((len, file)) => Content::File { file, len },
                    Err(error) if absent(&error) => return Ok(None),
                    Err(error) => return Err(Error::io(path, error)),
                }
            }
            Self::Memory(files) => match files.get(name) {
                Some(bytes) => Content::Memory(bytes),
                None => return Ok(None),
            },
        };
        Ok(Some(Blob { path: self.describe(name), content }))
    }

    /// How messages name the file: its path, or its name where it has none.
    pub fn describe(&self, name: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(name).display().to_string(),
            Self::Memory(folder) => folder.path(name),
        }
    }

    /// The path of the file `name`, where it has one.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder.join(name)),
            Self::Memory(_) => None,
        }
    }

    /// The error that says that `name` is needed and absent.
    pub fn missing(&self, name: &str) -> Error {
        match self {
            Self::Folder(folder) if !folder.is_dir() => Error::file(
                folder,
                "no such folder; give the folder that holds config.json, the tokenizer and the weights",
            ),
            _ => Error::file(self.describe(name), "no such file, and it is needed"),
        }
    }
}

impl From<&Path> for ModelSource {
    fn from(folder: &Path) -> Self {
        Self::folder(folder)
    }
}

fn absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A file that is read in pieces, or mapped into memory.
#[derive(Debug)]
pub struct Blob<'a> {
    path: String,
    content: Content<'a>,
}

#[derive(Debug)]
enum Content<'a> {
    File { file: File, len: u64 },
    Memory(&'a [u8]),
}

impl Blob<'_> {
    /// How messages name the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its size in bytes.
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::File { len, .. } => *len,
            Content::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole file, mapped: its pages are shared with every other process that maps it, and read when they are first
    /// used. `None` where there is no such file, or the system will not.
    ///
    /// Whoever cuts a mapped file short kills the process (`SIGBUS`), and whoever writes into it changes the model. This
    /// library replaces files whole, which leaves the old one to those that have mapped it.
    #[cfg(feature = "native")]
    pub(crate) fn map(&self) -> Option<bytes::Bytes> {
        let Content::File { file, .. } = &self.content else { return None };
        // SAFETY: the file is not written to in place, as said above; the same is asked of users.
        let map = unsafe { memmap2::Mmap::map(file) }.ok()?;
        Some(bytes::Bytes::from_owner(map))
    }

    /// Hands the bytes from `start` to `end` to `each`, in pieces of a size divisible by 8 except
    /// the last.
    ///
    /// # Errors
    /// A range past the end of the file, or a read that fails.
    pub fn read_range(&self, start: u64, end: u64, mut each: impl FnMut(&[u8])) -> Result<()> {
        if start > end || end > self.len() {
            return Err(Error::file(
                &self.path,
                format!("truncated: bytes {start} to {end} are needed of {}", self.len()),
            ));
        }
        match &self.content {
            // `end` is at most the slice's length, so both bounds are sizes
            Content::Memory(bytes) => each(&bytes[start as usize..end as usize]),
            Content::File { file, .. } => {
                let io = |error| Error::io(&self.path, error);
                let mut file = file;
                file.seek(SeekFrom::Start(start)).map_err(io)?;
                let mut left = end - start;
                let mut buffer = vec![0; left.min(1 << 20) as usize];
                while left > 0 {
                    let piece = &mut buffer[..left.min(1 << 20) as usize];
                    file.read_exact(piece).map_err(io)?;
                    each(piece);
                    left -= piece.len() as u64;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_folder_and_a_missing_file_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let source = ModelSource::folder(folder.path());
        assert!(source.read("config.json").unwrap().is_none());
        let message = source.require("config.json").unwrap_err().to_string();
        assert!(message.contains("config.json: no such file"), "{message}");
        let source = ModelSource::folder(folder.path().join("nowhere"));
        let message = source.require("config.json").unwrap_err().to_string();
        assert!(message.contains("nowhere: no such folder"), "{message}");
    }

    #[test]
    fn a_folder_inside_is_found_on_disk_and_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("one")).unwrap();
        std::fs::write(folder.path().join("one/a"), b"1").unwrap();
        let memory = ModelSource::memory([("one/a".to_owned(), b"1".to_vec())].into());
        assert_eq!(memory.inside("one").describe("b"), "one/b");
        for source in [ModelSource::folder(folder.path()), memory] {
            assert_eq!(&*source.inside("one").require("a").unwrap(), b"1");
            assert!(source.read("a").unwrap().is_none());
            assert!(source.inside("two").read("a").unwrap().is_none());
        }
    }

    #[test]
    fn a_file_reads_the_same_from_a_folder_and_from_memory() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|number| number as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), &bytes).unwrap();
        let memory = ModelSource::memory([("a".to_owned(), bytes.clone())].into());
        for source in [ModelSource::folder(folder.path()), memory] {
            assert_eq!(&*source.require("a").unwrap(), bytes);
            let blob = source.open("a").unwrap().unwrap();
            let mut read = Vec::new();
            blob.read_range(5, 2_500_000, |piece| read.extend_from_slice(piece)).unwrap();
            assert_eq!(read, bytes[5..2_500_000]);
            assert!(blob.read_range(0, 3_000_001, |_| ()).is_err());
            assert!(source.open("b").unwrap().is_none());
        }
    }
}
