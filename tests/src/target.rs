//! Where `cargo xtask` puts what the tests need beside themselves: Cargo's target directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// How many directories the target directory is above the running program, at the most.
const ABOVE: usize = 3;

/// What is called `name` in the target directory. `command` brings it.
///
/// # Errors
/// When it is not there, with that command.
pub fn installed(name: impl AsRef<Path>, command: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("own path")?;
    let found = own
        .ancestors()
        .skip(1)
        .take(ABOVE)
        .map(|directory| directory.join(&name))
        .find(|path| path.exists());
    found.with_context(|| {
        format!(
            "no {} near {}: run {command}",
            name.as_ref().display(),
            own.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::installed;

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        let error = installed("no-such-thing/at-all", "cargo xtask something").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("no no-such-thing/at-all near "), "{text}");
        assert!(text.ends_with(": run cargo xtask something"), "{text}");
        let own = std::env::current_exe().unwrap();
        let name = own.file_name().unwrap();
        assert_eq!(installed(name, "").unwrap(), own);
    }
}
