//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::{Error, Result};

/// Writes `path` through a temporary file in the same folder, so that whoever looks, and whenever
/// the power fails, finds the old content or the new one.
///
/// # Errors
/// The system's, for instance a full disk; nothing is left behind then.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let name = path.file_name().ok_or_else(|| Error::file(path, "not the name of a file"))?;
    let mut part_name = std::ffi::OsString::from(".");
    part_name.push(name);
    part_name.push(".part");
    let part = path.with_file_name(part_name);
    let written = write_synced(path, &part, write)
        .and_then(|()| fs::rename(&part, path).map_err(|error| Error::io(path, error)));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written?;
    sync_folder(path);
    Ok(())
}

fn write_synced(
    path: &Path,
    part: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let io = |error| Error::io(path, error);
    let mut writer = BufWriter::with_capacity(1 << 20, File::create(part).map_err(io)?);
    write(&mut writer)?;
    writer.flush().map_err(io)?;
    writer.get_ref().sync_all().map_err(io)
}

/// Makes the rename itself durable where the system has a way to; not every file system does.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write_atomically(&path, |file| file.write_all(b"old").map_err(|e| Error::io("", e)))
            .unwrap();
        let failed = write_atomically(&path, |file| {
            file.write_all(b"half").map_err(|e| Error::io("", e))?;
            Err(Error::Setting("stop".to_owned()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_with_the_path() {
        // /dev/full takes no byte; it stands where the temporary file would be
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join(".model.safetensors.part"))
            .unwrap();
        let path = folder.path().join("model.safetensors");
        let error =
            write_atomically(&path, |file| file.write_all(b"x").map_err(|e| Error::io(&path, e)))
                .unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("model.safetensors")));
        assert!(!path.exists());
    }
}
