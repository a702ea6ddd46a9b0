//! Which TLS libraries are in a file, told by the functions it defines, and where probes go.

use std::sync::LazyLock;

use super::code::{self, Cost};
use super::elf::{BuildId, Elf, Machine};
use super::file::{Error, ReadAt};
use super::getter;
use super::go;
use super::hooks::{self, COMPONENTS, Component, Family, Hook, Need, OPENSSL_VERSION, Role, When};
use super::names::{Catalogue, Name};
use super::symbols;

/// Bytes of one function whose instructions are gone through.
const MAX_FUNCTION: u64 = 256 * 1024;

/// What is in a file.
#[derive(Debug)]
pub struct Examination {
    /// What it runs on.
    pub machine: Machine,
    /// The linker's id of the file, if it has one.
    pub build_id: Option<BuildId>,
    /// The TLS libraries, or parts of them, that it holds; most files hold none.
    pub libraries: Vec<Library>,
    /// The version of Go that built it, if Go did.
    pub go_version: Option<String>,
    /// Why the functions of a Go program cannot be found.
    pub go_problem: Option<Error>,
    /// Bytes that were read to find out.
    pub read: u64,
}

/// A TLS library, or a part of it, found in a file.
#[derive(Clone, Debug)]
pub struct Library {
    /// Which.
    pub component: &'static Component,
    /// Its library; as the component has it, but for relatives that only the version tells apart.
    pub family: Family,
    /// Its version, if the file tells.
    pub version: Option<String>,
    /// The functions found that are wanted, generic ones more than once.
    pub targets: Vec<Target>,
    /// Where in its context the error of a verification is, or in its session the alert received last, if the function that
    /// returns it tells: with this, that of the error needs no probe.
    pub error_offset: Option<u32>,
    /// Hooks whose function is not there or not as expected, and why.
    pub missing: Vec<(&'static Hook, String)>,
}

impl Library {
    /// Whether all is there that is needed.
    pub fn is_complete(&self) -> bool {
        self.missing.iter().all(|(hook, _)| match hook.need {
            Need::Required => false,
            Need::Optional => true,
            Need::OneOfRole => self.targets.iter().any(|target| target.hook.role == hook.role),
        })
    }
}

/// A function to be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What for.
    pub hook: &'static Hook,
    /// The function's name in the file.
    pub symbol: Box<str>,
    /// Where: one place, or each return instruction.
    pub places: Vec<Place>,
}

/// An instruction to be probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its address before relocation.
    pub address: u64,
    /// Its offset in the file: what a uprobe is given.
    pub offset: u64,
    /// What a probe costs there.
    pub cost: Cost,
}

/// A function with one of the names looked for, from whichever table.
struct Found {
    name: Name,
    text: Box<str>,
    address: u64,
    /// 0 if not told.
    size: u64,
}

/// Looks into a file.
///
/// # Errors
/// If it is no ELF file for a machine that is known, or damaged. [`Error::Unsupported`] is what any file may give.
pub fn examine(source: &dyn ReadAt) -> Result<Examination, Error> {
    // A search is built of constant names; should it ever fail, so does each test.
    static CATALOGUE: LazyLock<Option<Catalogue>> = LazyLock::new(|| Catalogue::new(hooks::names()).ok());
    let catalogue = CATALOGUE
        .as_ref()
        .ok_or(Error::Unsupported("no search for names"))?;

    let file = Elf::open(source)?;
    let build_id = file.build_id()?;
    let go_version = go::version(&file)?;
    let mut found = Vec::new();
    found.extend(symbols::find(&file, catalogue)?.into_iter().map(|symbol| Found {
        name: symbol.name,
        text: symbol.text,
        address: symbol.address,
        size: symbol.size,
    }));
    let mut go_problem = None;
    if go_version.is_some() {
        // What `.symtab` says of a Go program its own table says too.
        found.retain(|found| !is_go(found.name));
        match go::functions(&file, catalogue) {
            Ok(functions) => found.extend(functions.into_iter().map(|function| Found {
                name: function.name,
                text: function.text,
                address: function.start,
                size: function.end - function.start,
            })),
            // The program may hold a C library too.
            Err(problem) => go_problem = Some(problem),
        }
    }
    let libraries = COMPONENTS
        .iter()
        .filter(|component| is_there(component, &found))
        .map(|component| library(&file, component, &found, go_version.as_deref()))
        .collect();
    Ok(Examination {
        machine: file.machine,
        build_id,
        libraries,
        go_version,
        go_problem,
        read: file.reader.read(),
    })
}

fn is_go(name: Name) -> bool {
    matches!(name, Name::Exact(name) if name.starts_with("crypto/"))
}

fn is_there(component: &Component, found: &[Found]) -> bool {
    let has = |name: &Name| found.iter().any(|found| found.name == *name);
    component.marks.iter().all(|any| any.iter().any(has)) && !component.without.iter().any(has)
}

fn library(file: &Elf<'_>, component: &'static Component, found: &[Found], go: Option<&str>) -> Library {
    let mut targets = Vec::new();
    let mut missing = Vec::new();
    for hook in component.hooks {
        let mut any = false;
        for function in found.iter().filter(|found| found.name == hook.name) {
            any = true;
            match places(file, hook, function) {
                Ok(places) => targets.push(Target {
                    hook,
                    symbol: function.text.clone(),
                    places,
                }),
                Err(error) => missing.push((hook, error.to_string())),
            }
        }
        if !any {
            missing.push((hook, "no such function".to_owned()));
        }
    }
    let (version, relative) = match component.family {
        Family::Go => (go.map(str::to_owned), None),
        Family::OpenSsl => openssl_version(file, found),
        _ => (None, None),
    };
    Library {
        component,
        family: relative.unwrap_or(component.family),
        version,
        error_offset: error_offset(file, component, found),
        targets,
        missing,
    }
}

/// What the function of the role [`Role::VerifyError`] or [`Role::AlertReceived`] loads, if it does no more than that.
fn error_offset(file: &Elf<'_>, component: &Component, found: &[Found]) -> Option<u32> {
    let hook = component
        .hooks
        .iter()
        .find(|hook| matches!(hook.role, Role::VerifyError | Role::AlertReceived))?;
    let function = found.iter().find(|found| found.name == hook.name)?;
    let code = file.code(function.address, code::PROLOGUE_SIZE).ok()?;
    getter::offset(file.machine, code.bytes())
}

/// Where in a function its probes go.
fn places(file: &Elf<'_>, hook: &Hook, function: &Found) -> Result<Vec<Place>, Error> {
    let place = |into: u64, cost| {
        let address = function.address.saturating_add(into);
        let offset = file.code_offset(address).ok_or(Error::Malformed {
            what: "function",
            why: "it goes on behind the end of its segment",
        })?;
        Ok(Place {
            address,
            offset,
            cost,
        })
    };
    if hook.when != When::EachReturnInstruction {
        let code = file.code(function.address, code::PROLOGUE_SIZE)?;
        let entry = code::entry(file.machine, code.bytes(), hook.arguments);
        return Ok(vec![place(entry.skip, entry.cost)?]);
    }
    if function.size > MAX_FUNCTION {
        return Err(Error::TooMany {
            what: "bytes of a function",
            count: function.size,
            limit: MAX_FUNCTION,
        });
    }
    let code = file.code(function.address, function.size)?;
    let returns = code::returns(file.machine, code.bytes())?;
    if returns.is_empty() {
        return Err(Error::Malformed {
            what: "function",
            why: "it never returns",
        });
    }
    // The kernel does not emulate returns.
    returns
        .into_iter()
        .map(|at| place(at, Cost::SingleStepped))
        .collect()
}

/// OpenSSL's version by what `OpenSSL_version_num` returns, and whose it is if not OpenSSL's.
fn openssl_version(file: &Elf<'_>, found: &[Found]) -> (Option<String>, Option<Family>) {
    let number = found
        .iter()
        .find(|found| found.name == OPENSSL_VERSION)
        .and_then(|function| {
            let code = file.code(function.address, code::PROLOGUE_SIZE).ok()?;
            code::constant(file.machine, code.bytes())
        });
    match number {
        // LibreSSL says so for ever.
        Some(0x2000_0000) => (None, Some(Family::LibreSsl)),
        number => (number.map(openssl_number), None),
    }
}

/// A version from OpenSSL's number of it (OPENSSL_VERSION_NUMBER(3)): 0xMNNFFPPS up to 1.1.1, 0xMNN00PP0 since 3.0.
fn openssl_number(number: u32) -> String {
    let (major, minor, fix, patch) = (
        number >> 28,
        number >> 20 & 0xff,
        number >> 12 & 0xff,
        number >> 4 & 0xff,
    );
    if major >= 3 {
        return format!("{major}.{minor}.{patch}");
    }
    match u8::try_from(patch).ok().and_then(|patch| patch.checked_sub(1)) {
        Some(letter @ 0..26) => format!("{major}.{minor}.{fix}{}", char::from(b'a' + letter)),
        _ => format!("{major}.{minor}.{fix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_versions_are_read_of_their_numbers() {
        assert_eq!(openssl_number(0x1010_117f), "1.1.1w");
        assert_eq!(openssl_number(0x1010_100f), "1.1.1");
        assert_eq!(openssl_number(0x3000_0130), "3.0.19");
        assert_eq!(openssl_number(0x3060_0000), "3.6.0");
        assert_eq!(openssl_number(0x4000_0010), "4.0.1");
    }

    #[test]
    fn the_names_make_a_search_and_no_component_is_known_by_what_it_does_not_have() {
        assert!(Catalogue::new(hooks::names()).is_ok());
        for component in &COMPONENTS {
            for mark in component.marks.iter().copied().flatten() {
                assert!(!component.without.contains(mark), "{component:?}");
            }
        }
    }
}
