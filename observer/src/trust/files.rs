//! The files that trust bundles are made from: which there are, what is in them, and whether they have changed.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Size of a file at most, in bytes. The largest revocation lists in use have some ten million.
const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;
/// Files in one directory at most.
const MAX_FILES: usize = 4096;
/// What the names of files in a directory end with that are read.
const EXTENSIONS: [&str; 5] = ["pem", "crt", "cer", "der", "crl"];

/// The files at `path`: itself, or those in the directory that it is, by name.
///
/// Hidden files are passed over, and so are directories: in a volume of Kubernetes these hold the versions of the files,
/// to the current of which the other names lead.
///
/// # Errors
/// When it cannot be read, or has too many files.
pub fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if is_read(&path) && fs::metadata(&path).is_ok_and(|about| about.is_file()) {
            if files.len() == MAX_FILES {
                return Err(io::Error::other(format!("it has more than {MAX_FILES} files")));
            }
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Whether a file of this name in a directory is read: by its extension, or with a name that OpenSSL's rehash gives, such
/// as `5ed36f99.0` and `5ed36f99.r0`.
fn is_read(path: &Path) -> bool {
    let part = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).map(str::to_owned);
    let (Some(stem), Some(extension)) = (part(path.file_stem()), part(path.extension())) else {
        return false;
    };
    let number = extension.strip_prefix('r').unwrap_or(&extension);
    let is_hash =
        stem.len() == 8 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()) && number.parse::<u16>().is_ok();
    !stem.starts_with('.')
        && (is_hash
            || EXTENSIONS
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known)))
}

/// The content of a file.
///
/// # Errors
/// When it cannot be read, is no regular file (reading another might wait for ever), or is too large.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other(format!(
            "it has more than {MAX_FILE_BYTES} bytes"
        )));
    }
    Ok(content)
}

/// What tells whether files have changed, without reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamps(BTreeMap<PathBuf, Option<Stamp>>);

/// What tells of one file, at the end of all links, whether it is the same and unchanged. Any write and any change of
/// name, owner or mode changes the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<Metadata> for Stamp {
    fn from(about: Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }
}

impl Stamps {
    /// Those of the files at `paths`, which need not exist.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut stamps = BTreeMap::new();
        for path in paths {
            for file in list(path).unwrap_or_else(|_| vec![path.to_owned()]) {
                let stamp = fs::metadata(&file).ok().map(Stamp::from);
                stamps.insert(file, stamp);
            }
        }
        Self(stamps)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
        list(path).unwrap().iter().map(name).collect()
    }

    #[test]
    fn a_directory_gives_the_files_that_can_hold_certificates() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.pem",
            "a.CRT",
            "5ed36f99.0",
            "5ed36f99.r12",
            "ca.crl",
            "README",
            "tls.key",
            "notahash.0",
            ".hidden.pem",
            "old.pem.bak",
        ] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("folder.pem")).unwrap();
        assert_eq!(
            names(folder.path()),
            ["5ed36f99.0", "5ed36f99.r12", "a.CRT", "b.pem", "ca.crl"]
        );
        let single = folder.path().join("README");
        assert_eq!(list(&single).unwrap(), [single], "what is named is read");
        assert!(list(&folder.path().join("missing")).is_err());
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            read(folder.path())
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
        assert!(read(Path::new("/dev/zero")).is_err());
        let file = folder.path().join("a.pem");
        fs::write(&file, "abc").unwrap();
        assert_eq!(read(&file).unwrap(), b"abc");
    }

    #[test]
    fn every_change_of_a_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pem");
        let paths = || [folder.path(), file.as_path()];
        let missing = Stamps::of(paths());
        assert_eq!(missing, Stamps::of(paths()));
        fs::write(&file, "1").unwrap();
        let first = Stamps::of(paths());
        assert_ne!(first, missing);
        let other = folder.path().join("new");
        fs::write(&other, "2").unwrap();
        assert_eq!(Stamps::of(paths()), first, "that one is not read");
        fs::rename(&other, &file).unwrap();
        assert_ne!(Stamps::of(paths()), first, "replaced by one of the same size");
    }

    #[test]
    fn a_swapped_link_is_noticed_as_kubernetes_swaps_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["..v1", "..v2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("ca.crt"), version).unwrap();
        }
        symlink("..v1", at("..data")).unwrap();
        symlink("..data/ca.crt", at("ca.crt")).unwrap();
        assert_eq!(names(folder.path()), ["ca.crt"]);
        let before = Stamps::of([folder.path()]);
        symlink("..v2", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_ne!(Stamps::of([folder.path()]), before);
        assert_eq!(read(&at("ca.crt")).unwrap(), b"..v2");
    }
}
