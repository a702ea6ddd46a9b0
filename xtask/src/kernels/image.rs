//! Debian's kernel packages: resolved, downloaded and unpacked, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// An unpacked kernel package.
pub struct Image {
    /// The kernel itself, as a boot loader takes it.
    pub kernel: PathBuf,
    /// Where its modules are.
    pub modules: PathBuf,
}

/// Provides the kernel of `package`, or the one that it depends on, below `directory`. What is there is not downloaded
/// again.
pub fn provide(package: &str, directory: &Path) -> Result<Image> {
    let package = resolve(package)?;
    let unpacked = directory.join(&package);
    if !unpacked.is_dir() {
        fs::create_dir_all(directory)?;
        process::run(
            Command::new("apt-get")
                .args(["--quiet=2", "download", &package])
                .current_dir(directory),
        )?;
        let archive = first_in(directory, |name| {
            name.starts_with(&format!("{package}_")) && name.ends_with(".deb")
        })?;
        // Under its name only when it is complete.
        let partial = directory.join(format!("{package}.partial"));
        process::run(Command::new("dpkg").arg("--extract").arg(&archive).arg(&partial))?;
        fs::rename(&partial, &unpacked)?;
        fs::remove_file(&archive)?;
    }
    Ok(Image {
        kernel: first_in(&unpacked.join("boot"), |name| name.starts_with("vmlinuz-"))?,
        modules: modules(&unpacked)?,
    })
}

/// The package with the kernel in it: a metapackage depends on the newest one.
fn resolve(package: &str) -> Result<String> {
    let description = process::output_of("apt-cache", &["show", "--no-all-versions", package])
        .filter(|text| !text.is_empty())
        .with_context(|| format!("no package {package}; apt-get update, or another name"))?;
    Ok(dependency(&description).unwrap_or(package).to_owned())
}

/// The first kernel image among the dependencies in a package's description.
fn dependency(description: &str) -> Option<&str> {
    let depends = description
        .lines()
        .find_map(|line| line.strip_prefix("Depends: "))?;
    depends
        .split(", ")
        .filter_map(|dependency| dependency.split(' ').next())
        .find(|name| name.starts_with("linux-image-"))
}

/// `lib/modules/RELEASE`, which newer packages have below `usr`.
fn modules(unpacked: &Path) -> Result<PathBuf> {
    let parents = [unpacked.join("lib/modules"), unpacked.join("usr/lib/modules")];
    let parent = parents
        .iter()
        .find(|parent| parent.is_dir())
        .context("the package has no modules")?;
    first_in(parent, |_| true)
}

fn first_in(directory: &Path, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    fs::read_dir(directory)
        .with_context(|| directory.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(&wanted)
        })
        .with_context(|| format!("nothing of the kind in {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metapackage_names_its_kernel() {
        let meta =
            "Package: linux-image-cloud-amd64\nDepends: linux-image-6.1.0-9-cloud-amd64 (= 6.1.27-1)\n";
        assert_eq!(dependency(meta), Some("linux-image-6.1.0-9-cloud-amd64"));
        let kernel = "Package: linux-image-6.1.0-9-cloud-amd64\nDepends: kmod, initramfs-tools (>= 0.120)\n";
        assert_eq!(dependency(kernel), None);
    }
}
