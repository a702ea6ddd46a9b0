//! Go programs: the version that built them, and their functions by the table that the runtime itself needs, `.gopclntab`,
//! which is there in stripped programs too (Go's `runtime/symtab.go` and `debug/gosym`).

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::elf::{Elf, Section};
use super::file::{Error, Piece, Reader};
use super::names::{Catalogue, Name, Occurrence};

/// Functions of one program; the largest in use have some three hundred thousand.
const MAX_FUNCTIONS: u64 = 1 << 22;
/// Bytes of `.go.buildinfo` that are read: the version is at its beginning.
const BUILD_INFO: u64 = 256;
/// Bytes of the functions' descriptions that are held at once; they are gone through in order.
const WINDOW: u64 = 256 * 1024;
/// What the table begins with as Go 1.18 and 1.19 write it, and Go 1.20 and later.
const MAGIC: [u32; 2] = [0xffff_fff0, 0xffff_fff1];
/// Where in the runtime's `moduledata` the address of the first function is, since Go 1.26, where the table has it no more:
/// behind a pointer, six slices and three pointers.
const MODULE_TEXT: u64 = 8 + 6 * 24 + 3 * 8;

/// A function that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The name by which it was looked for.
    pub name: Name,
    /// Its name in the file.
    pub text: Box<str>,
    /// The address of its first instruction before relocation.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
}

/// The version of Go that built a program, such as `go1.22.3`, if Go 1.18 or later did.
///
/// # Errors
/// As [`Reader::piece`].
pub fn version(file: &Elf<'_>) -> Result<Option<String>, Error> {
    let Some(section) = file.section(".go.buildinfo") else {
        return Ok(None);
    };
    let piece = file.reader.piece(
        "Go's build information",
        section.offset,
        section.size.min(BUILD_INFO),
    )?;
    Ok(build_version(piece.bytes()).map(str::to_owned))
}

/// The version in build information (Go's `debug/buildinfo`).
fn build_version(bytes: &[u8]) -> Option<&str> {
    const INLINE: u8 = 2;
    let (header, strings) = bytes.split_at_checked(32)?;
    if !header.starts_with(b"\xff Go buildinf:") || header.get(15)? & INLINE == 0 {
        return None;
    }
    // A length of up to 127 is one byte; versions are far shorter.
    let (&length, strings) = strings.split_first()?;
    let version = str::from_utf8(strings.get(..usize::from(length))?).ok()?;
    version
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        .then_some(version)
}

/// All functions of a Go program that have one of the names.
///
/// # Errors
/// If there is no table, if it is of another form than Go 1.18 and later write, or damaged.
pub fn functions(file: &Elf<'_>, catalogue: &Catalogue) -> Result<Vec<Function>, Error> {
    let table = Table::open(file)?;
    let names = catalogue.search(
        &file.reader,
        "Go's names of functions",
        table.names.0,
        table.names.1,
    )?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: HashMap<u32, &Occurrence> = names
        .iter()
        .filter_map(|name| Some((u32::try_from(name.offset).ok()?, name)))
        .collect();
    table.find(&file.reader, &names)
}

/// Where the parts of `.gopclntab` are in the file.
struct Table {
    /// Address of the first function.
    text: u64,
    /// Names: offset and size.
    names: (u64, u64),
    /// Pairs of the function's address from `text` on and its description's offset from here on, and one address more.
    functions: u64,
    /// How many functions there are.
    count: u64,
}

impl Table {
    fn open(file: &Elf<'_>) -> Result<Self, Error> {
        let malformed = |why| Error::Malformed {
            what: ".gopclntab",
            why,
        };
        let section = [".gopclntab", ".data.rel.ro.gopclntab"]
            .iter()
            .find_map(|name| file.section(name))
            .ok_or(malformed("not there"))?;
        let piece = file.reader.piece("header of .gopclntab", section.offset, 72)?;
        let (start, words) = piece.bytes().split_first_chunk().ok_or(malformed("no header"))?;
        let [m0, m1, m2, m3, 0, 0, _quantum, 8] = *start else {
            return Err(malformed("header of another form"));
        };
        if !MAGIC.contains(&u32::from_le_bytes([m0, m1, m2, m3])) {
            return Err(malformed("another version than Go 1.18 and later write"));
        }
        let words = words.as_chunks().0;
        let word = |index: usize| words.get(index).map_or(0, |word| u64::from_le_bytes(*word));
        let within = |offset: u64| {
            (offset <= section.size)
                .then(|| section.offset.checked_add(offset))
                .flatten()
                .ok_or(malformed("a part of it is beyond its end"))
        };
        let (count, names, units, functions) = (word(0), word(3), word(4), word(7));
        if count > MAX_FUNCTIONS {
            return Err(Error::TooMany {
                what: "functions of a Go program",
                count,
                limit: MAX_FUNCTIONS,
            });
        }
        Ok(Self {
            text: text_address(file, section)?,
            names: (within(names)?, units.saturating_sub(names)),
            functions: within(functions)?,
            count,
        })
    }

    /// The functions with these names, by the names' offsets.
    fn find(&self, reader: &Reader<'_>, names: &HashMap<u32, &Occurrence>) -> Result<Vec<Function>, Error> {
        let mut found: Vec<Function> = Vec::new();
        // The last function found, until the next one tells where it ends.
        let mut open: Option<(&Occurrence, u64)> = None;
        let mut window = Window { reader, loaded: None };
        let size = self.count * 8 + 4;
        reader.walk("Go's table of functions", self.functions, size, |_, chunk| {
            for pair in chunk.as_chunks::<4>().0.chunks(2) {
                let mut pair = pair.iter().map(|field| u32::from_le_bytes(*field));
                let Some(entry) = pair.next() else { continue };
                let address = self.text.saturating_add(entry.into());
                if let Some((name, start)) = open.take() {
                    if address <= start {
                        return Err(Error::Malformed {
                            what: "Go's table of functions",
                            why: "not in order",
                        });
                    }
                    found.push(Function {
                        name: name.name,
                        text: name.text.clone(),
                        start,
                        end: address,
                    });
                }
                if let Some(description) = pair.next() {
                    // Its second field is the name's offset.
                    let name = window.field(self.functions.saturating_add(u64::from(description) + 4))?;
                    open = names.get(&name).map(|name| (*name, address));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}

/// The address that Go's table counts functions' addresses from: in its own header up to Go 1.25, since then only in the
/// runtime's description of the module. A program that was linked by another linker may have other code before it.
fn text_address(file: &Elf<'_>, table: &Section) -> Result<u64, Error> {
    if let Some(address) = file.pointer(table.address.saturating_add(24))? {
        return Ok(address);
    }
    if let Some(module) = file.section(".go.module")
        && file.pointer(module.address)? == Some(table.address)
        && let Some(address) = file.pointer(module.address.saturating_add(MODULE_TEXT))?
    {
        return Ok(address);
    }
    Err(Error::Malformed {
        what: ".gopclntab",
        why: "nothing tells where the first function is",
    })
}

/// A part of the file that moves on.
struct Window<'r, 'a> {
    reader: &'r Reader<'a>,
    loaded: Option<(u64, Piece)>,
}

impl Window<'_, '_> {
    fn field(&mut self, offset: u64) -> Result<u32, Error> {
        if let Some(field) = self.loaded_field(offset) {
            return Ok(field);
        }
        let what = "Go's descriptions of functions";
        let left = self.reader.length().saturating_sub(offset);
        self.loaded = Some((offset, self.reader.piece(what, offset, WINDOW.min(left))?));
        let why = "beyond the end of the file";
        self.loaded_field(offset).ok_or(Error::Malformed { what, why })
    }

    fn loaded_field(&self, offset: u64) -> Option<u32> {
        let (start, piece) = self.loaded.as_ref()?;
        let at = usize::try_from(offset.checked_sub(*start)?).ok()?;
        Some(u32::from_le_bytes(*piece.bytes().get(at..)?.first_chunk()?))
    }
}

#[cfg(test)]
mod tests {
    use super::build_version;

    #[test]
    fn a_version_is_read_where_it_is_whole() {
        let mut bytes = b"\xff Go buildinf:\x08\x02".to_vec();
        bytes.resize(32, 0);
        bytes.push(8);
        bytes.extend(b"go1.22.3 rest");
        assert_eq!(build_version(&bytes), Some("go1.22.3"));
        assert_eq!(build_version(&bytes[..36]), None);
        bytes[15] = 0;
        assert_eq!(build_version(&bytes), None, "a pointer to it, as before Go 1.18");
    }
}
