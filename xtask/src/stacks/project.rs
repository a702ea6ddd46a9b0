//! A service whose packages an installer puts beside its sources: copied out of the workspace, installed there, and
//! again only after its sources have changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Where installers and interpreters write when a project is tried in place.
const NOT_SOURCES: [&str; 3] = ["node_modules", "packages", "__pycache__"];
/// Beside the project: the digest of the sources that it was installed from.
const STAMP: &str = ".installed-from";

/// Has `into` hold the project at `source` with all that `install` adds there. What was there before goes, unless it is
/// of these very sources.
///
/// # Errors
/// When something cannot be read or written, or `install` fails; the next run then begins anew.
pub fn provide(source: &Path, into: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut files = Vec::new();
    list(source, Path::new(""), &mut files)?;
    files.sort();
    let wanted = digest(source, &files)?;
    let stamp = into.join(STAMP);
    if fs::read(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if into.exists() {
        fs::remove_dir_all(into).with_context(|| into.display().to_string())?;
    }
    for file in &files {
        let copy = into.join(file);
        if let Some(directory) = copy.parent() {
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        fs::copy(source.join(file), &copy).with_context(|| copy.display().to_string())?;
    }
    install()?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

/// The files under `directory` of `source`, each by its path in `source`.
fn list(source: &Path, directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let whole = source.join(directory);
    for entry in fs::read_dir(&whole).with_context(|| whole.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        let path = directory.join(&name);
        if !entry.file_type()?.is_dir() {
            files.push(path);
        } else if !NOT_SOURCES.iter().any(|other| name == *other) {
            list(source, &path, files)?;
        }
    }
    Ok(())
}

/// Over names and contents, each with its length before it.
fn digest(source: &Path, files: &[PathBuf]) -> Result<Vec<u8>> {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update(bytes.len().to_le_bytes());
        digest.update(bytes);
    };
    for file in files {
        let whole = source.join(file);
        add(file.as_os_str().as_encoded_bytes());
        add(&fs::read(&whole).with_context(|| whole.display().to_string())?);
    }
    Ok(digest.finalize().to_vec())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::bail;

    use super::*;

    #[test]
    fn is_installed_again_only_when_the_sources_change() {
        let directory = std::env::temp_dir().join(format!("stacks-project-{}", std::process::id()));
        let (source, into) = (directory.join("source"), directory.join("into"));
        fs::create_dir_all(source.join("config")).unwrap();
        fs::create_dir_all(source.join("node_modules/left")).unwrap();
        fs::write(source.join("config/app"), "one").unwrap();
        fs::write(source.join("node_modules/left/over"), "").unwrap();
        let installs = Cell::new(0);
        let provide = |fails: bool| {
            provide(&source, &into, || {
                installs.set(installs.get() + 1);
                fs::write(into.join("installed"), "")?;
                if fails {
                    bail!("no network");
                }
                Ok(())
            })
        };

        provide(true).unwrap_err();
        provide(false).unwrap();
        assert_eq!(installs.get(), 2, "a failed installation counts for nothing");
        provide(false).unwrap();
        assert_eq!(installs.get(), 2, "nothing has changed");
        assert!(into.join("installed").is_file());
        assert!(
            !into.join("node_modules").exists(),
            "what an installer left is no source"
        );

        fs::write(into.join("stale"), "").unwrap();
        fs::write(source.join("config/app"), "two").unwrap();
        provide(false).unwrap();
        assert_eq!(installs.get(), 3);
        assert_eq!(fs::read_to_string(into.join("config/app")).unwrap(), "two");
        assert!(!into.join("stale").exists());

        fs::rename(source.join("config/app"), source.join("config/application")).unwrap();
        provide(false).unwrap();
        assert_eq!(installs.get(), 4, "a file's name counts too");
        fs::remove_dir_all(directory).unwrap();
    }
}
