//! ELF files of 64 bits (System V ABI, gABI chapters 4 and 5): what lies where, and where it is once loaded.

use object::LittleEndian as Little;
use object::elf;
use object::endian::LittleEndian;
use std::fmt;
use std::ops::ControlFlow;

use super::file::{Error, Piece, ReadAt, Reader, entries};

/// Sections of one file; real programs have some forty, with debug information some sixty.
const MAX_SECTIONS: u64 = 4096;
/// Program headers of one file; real programs have some fifteen.
const MAX_SEGMENTS: u64 = 256;
/// Bytes of one section with notes; a build id is in one of 36.
const MAX_NOTES: u64 = 64 * 1024;
/// Bytes of a build id: SHA-1 has 20, a digest of the linker's user's choice may be longer, Go's has 83 or so.
const MAX_BUILD_ID: usize = 128;

/// The processors for which functions are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    /// AMD64.
    X86_64,
    /// Arm, 64 bits.
    Aarch64,
}

/// What a linker wrote into a file so that it can be known again.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BuildId(Box<[u8]>);

impl fmt::Display for BuildId {
    /// Hexadecimal, as `file` and `readelf` show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}

/// A part of the file that is loaded.
#[derive(Clone, Copy, Debug)]
struct Segment {
    address: u64,
    offset: u64,
    size: u64,
    executable: bool,
}

/// A section of the file.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name; what is not UTF-8 is replaced.
    pub name: String,
    /// One of `SHT_*`.
    pub kind: u32,
    /// Address in memory before relocation; 0 if it is not loaded.
    pub address: u64,
    /// Where its bytes are in the file.
    pub offset: u64,
    /// How many they are.
    pub size: u64,
    /// Index of the section that belongs to it, such as the string table of a symbol table.
    pub link: u32,
}

/// An ELF file, open for reading.
pub struct Elf<'a> {
    /// Its bytes.
    pub reader: Reader<'a>,
    /// What it runs on.
    pub machine: Machine,
    segments: Vec<Segment>,
    sections: Vec<Section>,
}

impl<'a> Elf<'a> {
    /// Reads the headers.
    ///
    /// # Errors
    /// For a file that is no such program or library, or not a whole one.
    pub fn open(source: &'a dyn ReadAt) -> Result<Self, Error> {
        let reader = Reader::new(source)?;
        let header = header(&reader)?;
        let machine = match header.e_machine.get(Little) {
            elf::EM_X86_64 => Machine::X86_64,
            elf::EM_AARCH64 => Machine::Aarch64,
            _ => return Err(Error::Unsupported("neither x86-64 nor aarch64")),
        };
        let segments = segments(&reader, header)?;
        let sections = sections(&reader, header)?;
        Ok(Self {
            reader,
            machine,
            segments,
            sections,
        })
    }

    /// All sections.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The first section of this name that has bytes in the file.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| section.name == name && section.kind != elf::SHT_NOBITS)
    }

    /// Where in the file the byte at an address is, or nothing if it is not of the file.
    pub fn file_offset(&self, address: u64) -> Option<u64> {
        self.locate(address).map(|(offset, _)| offset)
    }

    /// Where in the file the instruction at an address is, or nothing if it is no code.
    pub fn code_offset(&self, address: u64) -> Option<u64> {
        self.locate_in(address, |segment| segment.executable)
            .map(|(offset, _)| offset)
    }

    /// Instructions from an address on: `size` bytes, or fewer if the code ends before that.
    ///
    /// # Errors
    /// If there is no code at the address, and as [`Reader::piece`].
    pub fn code(&self, address: u64, size: u64) -> Result<Piece, Error> {
        let (offset, left) =
            self.locate_in(address, |segment| segment.executable)
                .ok_or(Error::Malformed {
                    what: "function",
                    why: "its address is in no executable segment",
                })?;
        self.reader.piece("instructions", offset, size.min(left))
    }

    /// The pointer that is at an address once the file is loaded, less the load address.
    ///
    /// # Errors
    /// As [`Reader::walk`].
    pub fn pointer(&self, address: u64) -> Result<Option<u64>, Error> {
        let Some((offset, 8..)) = self.locate(address) else {
            return Ok(None);
        };
        let written = self.reader.piece("pointer", offset, 8)?;
        match word(written.bytes()) {
            Some(0) | None => self.relative_relocation(address),
            written => Ok(written),
        }
    }

    /// The addend of the relative relocation of an address: position-independent programs have their pointers there.
    fn relative_relocation(&self, address: u64) -> Result<Option<u64>, Error> {
        let relative = match self.machine {
            Machine::X86_64 => elf::R_X86_64_RELATIVE,
            Machine::Aarch64 => elf::R_AARCH64_RELATIVE,
        };
        let mut found = None;
        for table in self
            .sections
            .iter()
            .filter(|section| section.kind == elf::SHT_RELA)
        {
            self.reader
                .walk("relocations", table.offset, table.size, |_, chunk| {
                    found = entries::<elf::Rela64<LittleEndian>>(chunk)
                        .iter()
                        .find(|entry| {
                            entry.r_offset.get(Little) == address && entry.r_type(Little, false) == relative
                        })
                        .map(|entry| entry.r_addend.get(Little) as u64);
                    Ok(if found.is_some() {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                })?;
            if found.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// The linker's id of the file, GNU's or else Go's.
    ///
    /// # Errors
    /// As [`Reader::piece`].
    pub fn build_id(&self) -> Result<Option<BuildId>, Error> {
        let mut go = None;
        for section in self
            .sections
            .iter()
            .filter(|section| section.kind == elf::SHT_NOTE)
        {
            if section.size > MAX_NOTES {
                continue;
            }
            let piece = self.reader.piece("notes", section.offset, section.size)?;
            let mut rest = piece.bytes();
            while let Some((note, after)) = note(rest) {
                match (note.name, note.kind) {
                    (b"GNU\0", elf::NT_GNU_BUILD_ID) => return Ok(Some(note.id())),
                    (b"Go\0\0", elf::NT_GO_BUILD_ID) => go = Some(note.id()),
                    _ => {}
                }
                rest = after;
            }
        }
        Ok(go)
    }

    fn locate(&self, address: u64) -> Option<(u64, u64)> {
        self.locate_in(address, |_| true)
    }

    /// Where in the file an address is, and how many bytes of its segment are from there on.
    fn locate_in(&self, address: u64, wanted: impl Fn(&Segment) -> bool) -> Option<(u64, u64)> {
        self.segments
            .iter()
            .filter(|segment| wanted(segment))
            .find_map(|segment| {
                let into = address.checked_sub(segment.address)?;
                let left = segment.size.checked_sub(into).filter(|&left| left > 0)?;
                Some((segment.offset.checked_add(into)?, left))
            })
    }
}

fn header(reader: &Reader<'_>) -> Result<elf::FileHeader64<LittleEndian>, Error> {
    let piece = match reader.piece(
        "file header",
        0,
        size_of::<elf::FileHeader64<LittleEndian>>() as u64,
    ) {
        Err(Error::Outside { .. }) => return Err(Error::Unsupported("shorter than an ELF header")),
        piece => piece?,
    };
    let header = piece.entries::<elf::FileHeader64<LittleEndian>>().first();
    let header = *header.ok_or(Error::Unsupported("no ELF header"))?;
    let ident = header.e_ident;
    if ident.magic != elf::ELFMAG {
        return Err(Error::Unsupported("not ELF"));
    }
    if ident.class != elf::ELFCLASS64 || ident.data != elf::ELFDATA2LSB {
        return Err(Error::Unsupported("not 64-bit little-endian"));
    }
    Ok(header)
}

fn segments(reader: &Reader<'_>, header: elf::FileHeader64<LittleEndian>) -> Result<Vec<Segment>, Error> {
    let what = "program headers";
    let piece = table::<elf::ProgramHeader64<LittleEndian>>(
        reader,
        what,
        header.e_phoff.get(Little),
        header.e_phnum.get(Little).into(),
        header.e_phentsize.get(Little),
        MAX_SEGMENTS,
    )?;
    Ok(piece
        .entries::<elf::ProgramHeader64<LittleEndian>>()
        .iter()
        .filter(|entry| entry.p_type.get(Little) == elf::PT_LOAD)
        .map(|entry| Segment {
            address: entry.p_vaddr.get(Little),
            offset: entry.p_offset.get(Little),
            // Beyond what is in the file there are only zeros.
            size: entry.p_filesz.get(Little),
            executable: entry.p_flags.get(Little) & elf::PF_X != 0,
        })
        .collect())
}

fn sections(reader: &Reader<'_>, header: elf::FileHeader64<LittleEndian>) -> Result<Vec<Section>, Error> {
    let what = "section headers";
    let offset = header.e_shoff.get(Little);
    if offset == 0 {
        return Ok(Vec::new());
    }
    let size = header.e_shentsize.get(Little);
    let mut count = u64::from(header.e_shnum.get(Little));
    let mut names = u32::from(header.e_shstrndx.get(Little));
    if count == 0 || names == u32::from(elf::SHN_XINDEX) {
        // Too many for the header's field: the first section tells.
        let first = table::<elf::SectionHeader64<LittleEndian>>(reader, what, offset, 1, size, 1)?;
        if let Some(first) = first.entries::<elf::SectionHeader64<LittleEndian>>().first() {
            count = if count == 0 {
                first.sh_size.get(Little)
            } else {
                count
            };
            names = if names == u32::from(elf::SHN_XINDEX) {
                first.sh_link.get(Little)
            } else {
                names
            };
        }
    }
    let piece = table::<elf::SectionHeader64<LittleEndian>>(reader, what, offset, count, size, MAX_SECTIONS)?;
    let headers = piece.entries::<elf::SectionHeader64<LittleEndian>>();
    let strings = match headers.get(names as usize) {
        Some(strings) => reader.piece(
            "section names",
            strings.sh_offset.get(Little),
            strings.sh_size.get(Little),
        )?,
        None => reader.piece("section names", 0, 0)?,
    };
    Ok(headers
        .iter()
        .map(|entry| Section {
            name: string(strings.bytes(), entry.sh_name.get(Little)),
            kind: entry.sh_type.get(Little),
            address: entry.sh_addr.get(Little),
            offset: entry.sh_offset.get(Little),
            size: entry.sh_size.get(Little),
            link: entry.sh_link.get(Little),
        })
        .collect())
}

/// The bytes of a table of which the header tells the number and size of entries.
fn table<T>(
    reader: &Reader<'_>,
    what: &'static str,
    offset: u64,
    count: u64,
    entry_size: u16,
    limit: u64,
) -> Result<Piece, Error> {
    if count == 0 {
        return reader.piece(what, 0, 0);
    }
    if usize::from(entry_size) != size_of::<T>() {
        let why = "entries of another size than the format has";
        return Err(Error::Malformed { what, why });
    }
    if count > limit {
        return Err(Error::TooMany { what, count, limit });
    }
    reader.piece(what, offset, count * u64::from(entry_size))
}

/// The string at an offset of a string table, up to 255 bytes; what is not UTF-8 is replaced.
fn string(table: &[u8], offset: u32) -> String {
    let rest = table.get(offset as usize..).unwrap_or_default();
    let end = rest.iter().take(255).position(|&byte| byte == 0);
    String::from_utf8_lossy(rest.get(..end.unwrap_or(rest.len().min(255))).unwrap_or_default()).into_owned()
}

/// A note (gABI, chapter 5): who says what.
struct Note<'a> {
    name: &'a [u8],
    kind: u32,
    content: &'a [u8],
}

impl Note<'_> {
    fn id(&self) -> BuildId {
        BuildId(self.content.iter().copied().take(MAX_BUILD_ID).collect())
    }
}

/// The first note, and the bytes after it.
fn note(bytes: &[u8]) -> Option<(Note<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(12)?;
    let field = |at: usize| Some(u32::from_le_bytes(*header.get(at..)?.first_chunk()?));
    let (name_size, size, kind) = (field(0)? as usize, field(4)? as usize, field(8)?);
    let (name, rest) = rest.split_at_checked(name_size.checked_next_multiple_of(4)?)?;
    let content = rest.get(..size)?;
    let after = rest.get(size.checked_next_multiple_of(4)?..).unwrap_or_default();
    let name = name.get(..name_size)?;
    Some((Note { name, kind, content }, after))
}

/// A little-endian word.
pub(super) fn word(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}
