//! The services that the live tests put the agent beside, each as an operator runs it: installed from `tests/stacks`
//! into `stacks` in Cargo's target directory, where the tests look for them.

mod node;
mod project;
mod python;
mod rust;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::setup::{self, Report};
use crate::{build, process};

/// A stack, by the name of its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// axum on rustls
    Axum,
    /// Actix Web on OpenSSL
    Actix,
    /// AdonisJS on Node
    Adonisjs,
    /// Django behind nginx
    DjangoNginx,
    /// Django on gunicorn and uvicorn
    DjangoDirect,
}

/// A program in `PATH`, or a file by its whole path; and the package of Debian that brings it.
type Need = (&'static str, &'static str);

const GCC: Need = ("gcc", "gcc");
const PYTHON: Need = ("python3", "python3");
const PIP: Need = ("pip3", "python3-pip");

/// How a stack comes here.
struct Stack {
    name: &'static str,
    needs: &'static [Need],
    /// Installs it from its sources into a directory, where it is not there yet as they are now.
    install: fn(source: &Path, into: &Path) -> Result<()>,
}

impl Name {
    /// Its live tests, as Cargo calls them.
    pub fn test(self) -> String {
        format!("stack_{}", self.stack().name.replace('-', "_"))
    }

    fn stack(self) -> Stack {
        match self {
            Self::Axum => Stack {
                name: "axum",
                needs: &[GCC, ("strip", "binutils")],
                install: rust::axum,
            },
            Self::Actix => Stack {
                name: "actix",
                needs: &[
                    GCC,
                    ("pkg-config", "pkg-config"),
                    ("/usr/include/openssl/ssl.h", "libssl-dev"),
                ],
                install: rust::actix,
            },
            Self::Adonisjs => Stack {
                name: "adonisjs",
                needs: &[("npm", "npm")],
                install: node::adonisjs,
            },
            Self::DjangoNginx => Stack {
                name: "django-nginx",
                needs: &[PYTHON, PIP, ("nginx", "nginx-light")],
                install: python::django,
            },
            Self::DjangoDirect => Stack {
                name: "django-direct",
                needs: &[PYTHON, PIP],
                install: python::django,
            },
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.stack().name)
    }
}

/// Installs what is missing of one stack or of all, and reports each item. One that cannot be had is missing, and its
/// live tests fail.
///
/// # Errors
/// When Cargo's target directory is not known.
pub fn provide(report: &mut Report, only: Option<Name>) -> Result<()> {
    let names = only.as_ref().map_or(Name::value_variants(), std::slice::from_ref);
    let stacks: Vec<_> = names.iter().map(|name| name.stack()).collect();
    let needs: BTreeSet<_> = stacks.iter().flat_map(|stack| stack.needs).collect();
    for (item, package) in needs {
        let is_there = if item.starts_with('/') {
            Path::new(item).is_file()
        } else {
            process::has_program(item)
        };
        setup::package_of(item, is_there, package, report);
    }
    let sources = process::workspace().join("tests/stacks");
    let target = build::target()?.join("stacks");
    for Stack { name, install, .. } in stacks {
        match install(&sources.join(name), &target.join(name)) {
            Ok(()) => report.found(&format!("stack {name}")),
            Err(error) => report.missing(&format!("stack {name}: {error:#}"), &[]),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_stack_has_its_name_and_its_sources() {
        let sources = process::workspace().join("tests/stacks");
        let mut there: Vec<_> = fs::read_dir(sources)
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut names: Vec<_> = Name::value_variants()
            .iter()
            .map(|name| name.stack().name)
            .collect();
        names.sort_unstable();
        assert_eq!(names, there);
        for name in Name::value_variants() {
            let in_commands = name.to_possible_value().unwrap();
            assert_eq!(in_commands.get_name(), name.stack().name);
        }
    }

    #[test]
    fn tests_are_named_as_cargo_has_them() {
        assert_eq!(Name::DjangoNginx.test(), "stack_django_nginx");
    }
}
