//! Prometheus and promtool for the tests of the alerts: those of the machine, else Debian's package, unpacked into
//! `prometheus` in Cargo's target directory. It is not installed, for its installation starts a service. The programs need
//! nothing of what it depends on but the C library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::setup::Report;
use crate::{build, packages, process};

const PACKAGE: &str = "prometheus";
const PROGRAMS: [&str; 2] = ["prometheus", "promtool"];

/// Has both programs, and reports it. Without them only the tests of the alerts fail.
pub fn provide(report: &mut Report) {
    if PROGRAMS.iter().all(|program| process::has_program(program)) {
        return report.found(PACKAGE);
    }
    match unpacked() {
        Ok(false) => report.found(PACKAGE),
        Ok(true) => report.installed(PACKAGE),
        Err(error) => report.note(&format!(
            "{PACKAGE}: {error:#}; the tests of the alerts will fail without; as root: {}",
            packages::command_line(&[PACKAGE])
        )),
    }
}

/// Unpacks the package where that has not been done; whether it had to.
fn unpacked() -> Result<bool> {
    let target = build::target()?;
    let directory = target.join("prometheus");
    if PROGRAMS
        .iter()
        .all(|program| directory.join("usr/bin").join(program).is_file())
    {
        return Ok(false);
    }
    // Under its name only when it is complete.
    let partial = target.join("prometheus.partial");
    for remains in [&directory, &partial] {
        if remains.exists() {
            fs::remove_dir_all(remains).with_context(|| remains.display().to_string())?;
        }
    }
    fs::create_dir_all(&partial).with_context(|| partial.display().to_string())?;
    packages::download(PACKAGE, &partial)?;
    let archive = archive_in(&partial)?;
    process::run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&partial))?;
    fs::remove_file(archive)?;
    fs::rename(partial, directory)?;
    Ok(true)
}

fn archive_in(directory: &Path) -> Result<PathBuf> {
    fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded no package")
}
