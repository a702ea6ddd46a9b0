//! Where lines go: standard output or a file that can be reopened.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Permissions of new event files, before the umask: events name clients and certificates, so not for everyone.
const MODE: u32 = 0o640;

/// How long to wait before writing again to a standard output that someone made non-blocking.
const RETRY: Duration = Duration::from_millis(5);

/// Why an output does not work.
#[derive(Debug, thiserror::Error)]
#[error("cannot write events to {name}: {source}")]
pub struct OutputError {
    /// `standard output` or the file's path.
    pub name: String,
    /// What the system says.
    pub source: io::Error,
}

impl OutputError {
    /// Whether the reader of a pipe went away.
    pub fn is_closed(&self) -> bool {
        self.source.kind() == ErrorKind::BrokenPipe
    }
}

/// An open output.
#[derive(Debug)]
pub struct Target {
    /// `None` for standard output.
    path: Option<PathBuf>,
    file: File,
    /// The last write stopped within a line.
    torn: bool,
}

impl Target {
    /// Standard output, without the standard library's buffer: lines are gathered before they come here.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub fn stdout() -> Result<Self, OutputError> {
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(fd) => Ok(Self {
                path: None,
                file: File::from(fd),
                torn: false,
            }),
            Err(source) => Err(OutputError {
                name: "standard output".into(),
                source,
            }),
        }
    }

    /// The file at `path`, appended to, made when missing.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn file(path: &Path) -> Result<Self, OutputError> {
        match open(path) {
            Ok(file) => Ok(Self {
                path: Some(path.to_owned()),
                file,
                torn: false,
            }),
            Err(source) => Err(OutputError {
                name: path.display().to_string(),
                source,
            }),
        }
    }

    /// Opens a file anew, for after it was renamed by log rotation. Standard output stays as it is.
    ///
    /// # Errors
    /// When the file cannot be opened; the old one then stays in use.
    pub fn reopen(&mut self) -> Result<(), OutputError> {
        let Some(path) = &self.path else { return Ok(()) };
        self.file = open(path).map_err(|source| self.error(source))?;
        self.torn = false;
        Ok(())
    }

    /// Writes whole lines. When the system takes only a part of them, the next write begins on a new line.
    ///
    /// # Errors
    /// When not all could be written.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        if self.torn {
            self.write_bytes(b"\n")?;
        }
        self.write_bytes(lines)
    }

    fn write_bytes(&mut self, mut bytes: &[u8]) -> Result<(), OutputError> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(self.error(ErrorKind::WriteZero.into())),
                Ok(count) => {
                    let (written, rest) = bytes.split_at(count.min(bytes.len()));
                    self.torn = written.last() != Some(&b'\n');
                    bytes = rest;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(RETRY),
                Err(error) => return Err(self.error(error)),
            }
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> OutputError {
        let name = self
            .path
            .as_ref()
            .map_or("standard output".to_owned(), |path| path.display().to_string());
        OutputError { name, source }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(MODE).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_appended_to_and_reopened_after_a_rename() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (
            folder.path().join("events.json"),
            folder.path().join("events.json.1"),
        );
        std::fs::write(&path, "before\n").unwrap();
        let mut target = Target::file(&path).unwrap();
        target.write(b"one\n").unwrap();
        std::fs::rename(&path, &old).unwrap();
        target.write(b"two\n").unwrap();
        target.reopen().unwrap();
        target.write(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before\none\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o007,
            0,
            "not for everyone"
        );
    }

    #[test]
    fn errors_name_the_path() {
        let error = Target::file(Path::new("/nonexistent/events.json")).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("cannot write events to /nonexistent/events.json: "),
            "{text}"
        );
        let error = Target::file(Path::new("/dev/full"))
            .unwrap()
            .write(b"x\n")
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot write events to /dev/full: ")
        );
        assert!(!error.is_closed());
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.json");
        let mut target = Target::file(&path).unwrap();
        target.write(b"hal").unwrap();
        target.write(b"whole\n").unwrap();
        target.write(b"next\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hal\nwhole\nnext\n");
    }
}
