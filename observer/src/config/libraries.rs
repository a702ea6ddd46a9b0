//! The settings of the library probes: which libraries, of which files and processes.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobSet};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::settings::Settings;
use super::values::{FromText, Many, text_value};
use super::{ConfigError, Scope};
use crate::libraries::hooks::Family;
use crate::libraries::processes::{Filter, cgroup_id};

/// The id of the cgroup at the root of the hierarchy.
const ROOT_CGROUP: u64 = 1;

/// Libraries that are probed unless the setting says otherwise.
pub const DEFAULT_FAMILIES: [Family; 3] = [Family::OpenSsl, Family::GnuTls, Family::Go];

/// What of the host's TLS libraries is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryProbing {
    /// The libraries; none: nothing is probed.
    pub families: BTreeSet<Family>,
    /// Only what these select: of each kind that is there, one must hold.
    pub include: Selection,
    /// Nothing that one of these selects.
    pub exclude: Selection,
}

impl Default for LibraryProbing {
    fn default() -> Self {
        Self {
            families: DEFAULT_FAMILIES.into(),
            include: Selection::default(),
            exclude: Selection::default(),
        }
    }
}

impl LibraryProbing {
    /// What the settings say, with the defaults where they are silent.
    ///
    /// # Errors
    /// If the patterns of paths are too many or too large to be searched for together.
    pub(super) fn from_settings(settings: &mut Settings) -> Result<Self, ConfigError> {
        let families = settings.libraries.take().map(|families| families.0);
        let select = |name, selectors: &mut Option<Vec<Selector>>| {
            Selection::new(selectors.take().unwrap_or_default())
                .map_err(|error| ConfigError::Conflict(format!("{name}: {error}")))
        };
        Ok(Self {
            families: families.unwrap_or(DEFAULT_FAMILIES.into()),
            include: select("libraries_include", &mut settings.libraries_include)?,
            exclude: select("libraries_exclude", &mut settings.libraries_exclude)?,
        })
    }

    /// Which processes and files are looked at, where the agent watches `scope`.
    pub fn filter(&self, scope: &Scope) -> Filter {
        let cgroup = match scope {
            // The root has all processes, as an interface may have to do with any.
            Scope::Cgroup(path) if cgroup_id(path).ok() != Some(ROOT_CGROUP) => Some(path.clone()),
            _ => None,
        };
        let (include, exclude) = (self.include.clone(), self.exclude.clone());
        Filter {
            cgroup,
            cgroups: include.cgroups,
            not_cgroups: exclude.cgroups,
            pids: include.pids,
            not_pids: exclude.pids,
            paths: include.paths.set,
            not_paths: exclude.paths.set,
        }
    }
}

/// What several selectors select together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The processes of these cgroups and those below them.
    pub cgroups: Vec<PathBuf>,
    /// These processes.
    pub pids: BTreeSet<u32>,
    /// Files with a library.
    pub paths: Paths,
}

impl Selection {
    fn new(selectors: Vec<Selector>) -> Result<Self, globset::Error> {
        let mut selection = Self::default();
        for selector in selectors {
            match selector {
                Selector::Path(glob) => selection.paths.globs.push(glob),
                Selector::Cgroup(path) => selection.cgroups.push(path),
                Selector::Pid(pid) => _ = selection.pids.insert(pid),
            }
        }
        selection.paths.set = GlobSet::new(&selection.paths.globs)?;
        Ok(selection)
    }
}

/// Forms of paths, searched for together.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    globs: Vec<Glob>,
    set: GlobSet,
}

impl PartialEq for Paths {
    fn eq(&self, other: &Self) -> bool {
        self.globs == other.globs
    }
}

impl Eq for Paths {}

/// The libraries that are probed: `auto`, `off`, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Families(pub BTreeSet<Family>);

/// The words of the list, besides `auto` and `off`.
const WORDS: [(&str, Family); 6] = [
    ("openssl", Family::OpenSsl),
    ("gnutls", Family::GnuTls),
    ("go", Family::Go),
    ("aws-lc", Family::RustlsAwsLc),
    ("rustls", Family::RustlsRing),
    ("boringssl", Family::BoringSsl),
];

impl Families {
    fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut families = BTreeSet::new();
        let mut count = 0;
        let mut is_off = false;
        for word in words {
            count += 1;
            match WORDS.iter().find(|(name, _)| *name == word) {
                Some((_, family)) => _ = families.insert(*family),
                None if word == "auto" => families.extend(DEFAULT_FAMILIES),
                None if word == "off" => is_off = true,
                None => {
                    let names = WORDS.map(|(name, _)| name).join(", ");
                    return Err(format!("{word:?} is none of auto, off, {names}"));
                }
            }
        }
        match (is_off, count) {
            (_, 0) => Err("an empty list names no library; write auto, off or some of them".to_owned()),
            (true, 2..) => Err("off stands alone; name libraries or off".to_owned()),
            _ => Ok(Self(families)),
        }
    }
}

impl FromText for Families {
    fn from_text(text: &str) -> Result<Self, String> {
        Self::from_words(text.split(',').map(str::trim))
    }
}

impl std::str::FromStr for Families {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_text(text)
    }
}

/// A string, or a list of them.
impl<'de> Deserialize<'de> for Families {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Many::<String>::deserialize(deserializer)?.0;
        let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        Self::from_words(words).map_err(D::Error::custom)
    }
}

/// What is included in the probing, or excluded: `path:GLOB`, `cgroup:PATH` or `pid:NUMBER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Files with a library whose path, as the process sees it, has this form.
    Path(Glob),
    /// Processes of this cgroup (v2) and those below it.
    Cgroup(PathBuf),
    /// This process.
    Pid(u32),
}

impl FromText for Selector {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("path", pattern)) if pattern.starts_with(['/', '*']) => GlobBuilder::new(pattern)
                // `*` is a part of one name, `**` any number of directories.
                .literal_separator(true)
                .build()
                .map(Self::Path)
                .map_err(|error| format!("{text:?}: {}", error.kind())),
            Some(("path", _)) => Err(format!(
                "{text:?}: a path begins with / or *; write path:/opt/app/**, path:**/libssl.so.*"
            )),
            Some(("cgroup", path)) if Path::new(path).is_absolute() => Ok(Self::Cgroup(path.into())),
            Some(("cgroup", _)) => Err(format!(
                "{text:?}: a cgroup is the path of its directory; write cgroup:/sys/fs/cgroup/system.slice"
            )),
            Some(("pid", number)) => match number.parse() {
                Ok(pid @ 1..) => Ok(Self::Pid(pid)),
                _ => Err(format!(
                    "{text:?}: a pid is a whole number from 1; write pid:4711"
                )),
            },
            _ => Err(format!(
                "{text:?} selects nothing; write path:GLOB, cgroup:PATH or pid:NUMBER"
            )),
        }
    }
}

/// As it is written.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(glob) => write!(f, "path:{glob}"),
            Self::Cgroup(path) => write!(f, "cgroup:{}", path.display()),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
        }
    }
}

text_value!(Selector);

#[cfg(test)]
mod tests {
    use super::*;

    fn families(text: &str) -> Vec<Family> {
        Families::from_text(text).unwrap().0.into_iter().collect()
    }

    #[test]
    fn libraries_are_a_list_auto_or_off() {
        assert_eq!(families("auto"), DEFAULT_FAMILIES);
        assert!(families("off").is_empty());
        assert_eq!(families("go, aws-lc"), [Family::Go, Family::RustlsAwsLc]);
        assert_eq!(families("auto,rustls").len(), 4);
        for (text, expected) in [
            ("", "none of"),
            ("nss", "nss"),
            ("off,go", "alone"),
            ("OpenSSL", "openssl"),
        ] {
            let error = Families::from_text(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn each_library_that_can_be_chosen_has_hooks() {
        use crate::libraries::hooks::COMPONENTS;
        for (word, family) in WORDS {
            let mut components = COMPONENTS.iter().filter(|component| component.family == family);
            assert!(components.any(|component| !component.hooks.is_empty()), "{word}");
        }
    }

    #[test]
    fn selectors_are_paths_cgroups_and_pids() {
        for text in [
            "path:/opt/**/libssl.so.*",
            "path:**/node",
            "cgroup:/sys/fs/cgroup/a b",
            "pid:1",
        ] {
            assert_eq!(Selector::from_text(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "/opt",
            "path:",
            "path:libssl",
            "path:/a[",
            "cgroup:x",
            "pid:0",
            "pid:-1",
            "pid:x",
            "uid:0",
        ] {
            let error = Selector::from_text(text).unwrap_err();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_star_is_within_one_directory() {
        let selector = Selector::from_text("path:/opt/*/libssl.so.3").unwrap();
        let set = Selection::new(vec![selector]).unwrap().paths.set;
        assert!(set.is_match("/opt/a/libssl.so.3") && !set.is_match("/opt/a/b/libssl.so.3"));
    }
}
