//! The generated parts of a stack's page: compared with what a run saw, or written anew.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// With this in the environment the pages are written.
const UPDATE: &str = "UPDATE_DOCS";

/// Where a page is.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/stacks")
        .join(format!("{name}.md"))
}

/// Holds a part of a page against what it should be, or makes it so. A part is what stands between the comments
/// `<!-- begin PART -->` and `<!-- end PART -->`.
///
/// # Errors
/// When the page has no such part, or another; with the lines that differ.
pub fn keep(name: &str, part: &str, wanted: &str) -> Result<()> {
    let path = path(name);
    let wanted = format!("\n{}\n", wanted.trim());
    // Other variants of the stack may be at the same page.
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    file.lock()?;
    let page = fs::read_to_string(&path)?;
    let (before, there, after) = split(&page, part).with_context(|| path.display().to_string())?;
    if there == wanted {
        return Ok(());
    }
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, format!("{before}{wanted}{after}"))?;
        return Ok(());
    }
    let differences: Vec<String> = wanted
        .lines()
        .filter(|line| !there.lines().any(|other| other == *line))
        .map(|line| format!("+ {line}"))
        .chain(
            there
                .lines()
                .filter(|line| !wanted.lines().any(|other| other == *line))
                .map(|line| format!("- {line}")),
        )
        .collect();
    bail!(
        "{}: {part} is no longer so; {UPDATE}=1 writes it anew\n{}",
        path.display(),
        differences.join("\n")
    )
}

/// A page before, in and after a part.
fn split<'a>(page: &'a str, part: &str) -> Result<(&'a str, &'a str, &'a str)> {
    let (begin, end) = (format!("<!-- begin {part} -->\n"), format!("<!-- end {part} -->"));
    let start = page
        .find(&begin)
        .with_context(|| format!("no `{}`", begin.trim()))?
        + begin.len();
    let stop = page.find(&end).with_context(|| format!("no `{end}`"))?;
    ensure!(start <= stop, "`{end}` comes first");
    let (before, rest) = page.split_at(start);
    let (there, after) = rest.split_at(stop - start);
    Ok((before, there, after))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_part_stands_between_its_comments() {
        let page = "Head\n<!-- begin a -->\nold\n<!-- end a -->\nTail\n";
        let (before, there, after) = split(page, "a").unwrap();
        assert_eq!(there, "old\n");
        assert_eq!(format!("{before}{there}{after}"), page);
        assert!(split(page, "b").is_err());
        assert!(split("<!-- end a --><!-- begin a -->\n", "a").is_err());
    }
}
