//! Functions by their symbols: `.dynsym`, which each library has, and `.symtab`, which is gone from stripped files.

use std::collections::HashMap;
use std::ops::ControlFlow;

use object::LittleEndian as Little;
use object::elf;
use object::endian::LittleEndian;

use super::elf::{Elf, Section};
use super::file::{Error, entries};
use super::names::{Catalogue, Name, Occurrence};

/// Functions found in one file by all names together.
const MAX_SYMBOLS: usize = 4096;

/// A function that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The name by which it was looked for.
    pub name: Name,
    /// Its name in the file.
    pub text: Box<str>,
    /// Its address before relocation; in an executable segment.
    pub address: u64,
    /// Its size in bytes; 0 if not told.
    pub size: u64,
}

/// All functions of the file itself, not those it takes from others, that have one of the names.
///
/// # Errors
/// If a table is damaged or beyond all limits.
pub fn find(file: &Elf<'_>, catalogue: &Catalogue) -> Result<Vec<Symbol>, Error> {
    let mut found = Vec::new();
    for table in file.sections() {
        if matches!(table.kind, elf::SHT_DYNSYM | elf::SHT_SYMTAB)
            && let Some(strings) = file.sections().get(table.link as usize)
            && strings.kind == elf::SHT_STRTAB
        {
            find_in(file, table, strings, catalogue, &mut found)?;
        }
    }
    Ok(found)
}

fn find_in(
    file: &Elf<'_>,
    table: &Section,
    strings: &Section,
    catalogue: &Catalogue,
    found: &mut Vec<Symbol>,
) -> Result<(), Error> {
    let what = "names of symbols";
    let names = catalogue.search(&file.reader, what, strings.offset, strings.size)?;
    if names.is_empty() {
        return Ok(());
    }
    let mut at: HashMap<u32, Vec<&Occurrence>, foldhash::fast::RandomState> = HashMap::default();
    for name in &names {
        if let Ok(offset) = u32::try_from(name.offset) {
            at.entry(offset).or_default().push(name);
        }
    }
    file.reader.walk("symbols", table.offset, table.size, |_, chunk| {
        for symbol in entries::<elf::Sym64<LittleEndian>>(chunk) {
            let Some(names) = at.get(&symbol.st_name.get(Little)) else {
                continue;
            };
            let address = symbol.st_value.get(Little);
            if symbol.st_type() != elf::STT_FUNC
                || symbol.st_shndx.get(Little) == elf::SHN_UNDEF
                || file.code_offset(address).is_none()
            {
                continue;
            }
            for name in names {
                // A function of `.dynsym` is in `.symtab` too.
                if found
                    .iter()
                    .any(|known| known.name == name.name && known.address == address)
                {
                    continue;
                }
                found.push(Symbol {
                    name: name.name,
                    text: name.text.clone(),
                    address,
                    size: symbol.st_size.get(Little),
                });
            }
            if found.len() > MAX_SYMBOLS {
                return Err(Error::TooMany {
                    what: "functions of the names looked for",
                    count: found.len() as u64,
                    limit: MAX_SYMBOLS as u64,
                });
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}
