//! ELF files made for tests, and as seeds for fuzzing.

use super::elf::Machine;

/// Where the code of a sample begins, in memory; in the file it is `CODE_OFFSET`.
pub const CODE_ADDRESS: u64 = 0x40_1000;
/// Where the code of a sample begins in the file.
pub const CODE_OFFSET: u64 = 0x80;

/// A section in the making.
struct Section {
    name: &'static str,
    kind: u32,
    address: u64,
    link: u32,
    content: Vec<u8>,
}

/// A library that defines functions, each with its code, in `.dynsym`, and the build id 01 02 03 04.
pub fn library(machine: Machine, functions: &[(&str, &[u8])]) -> Vec<u8> {
    let mut code = Vec::new();
    let mut names = vec![0];
    let mut symbols = vec![0; 24];
    for (name, instructions) in functions {
        symbol(
            &mut symbols,
            names.len(),
            CODE_ADDRESS + code.len() as u64,
            instructions.len(),
        );
        names.extend(name.as_bytes());
        names.push(0);
        code.extend(*instructions);
    }
    let mut note = Vec::new();
    for field in [4_u32, 4, 3] {
        note.extend(field.to_le_bytes());
    }
    note.extend(b"GNU\0\x01\x02\x03\x04");
    let section = |name, kind, address, link, content| Section {
        name,
        kind,
        address,
        link,
        content,
    };
    file(
        machine,
        &[
            section(".text", 1, CODE_ADDRESS, 0, code),
            section(".dynsym", 11, 0, 3, symbols),
            section(".dynstr", 3, 0, 0, names),
            section(".note.gnu.build-id", 7, 0, 0, note),
        ],
    )
}

/// A Go program with these functions, made by Go 1.22.3 so far as its tables tell.
pub fn go_program(functions: &[(&str, &[u8])]) -> Vec<u8> {
    let mut code = Vec::new();
    let mut names = vec![0];
    let mut table = Vec::new();
    let mut descriptions = Vec::new();
    let table_size = functions.len() * 8 + 4;
    for (name, instructions) in functions {
        table.extend((code.len() as u32).to_le_bytes());
        table.extend(((table_size + descriptions.len()) as u32).to_le_bytes());
        descriptions.extend((code.len() as u32).to_le_bytes());
        descriptions.extend((names.len() as u32).to_le_bytes());
        names.extend(name.as_bytes());
        names.push(0);
        code.extend(*instructions);
    }
    table.extend((code.len() as u32).to_le_bytes());
    let mut content = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
    let parts = [72, 72 + names.len(), 0, 0, 72 + names.len()];
    for word in [functions.len(), 0, CODE_ADDRESS as usize]
        .into_iter()
        .chain(parts)
    {
        content.extend((word as u64).to_le_bytes());
    }
    content.extend(names);
    content.extend(table);
    content.extend(descriptions);
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    info.extend(b"\x08go1.22.3");
    let section = |name, address, content| Section {
        name,
        kind: 1,
        address,
        link: 0,
        content,
    };
    let after_code = CODE_ADDRESS + (code.len() as u64).next_multiple_of(8);
    let sections = [
        section(".text", CODE_ADDRESS, code),
        section(".gopclntab", after_code, content),
        section(".go.buildinfo", 0, info),
    ];
    file(Machine::X86_64, &sections)
}

/// An entry of a table of symbols: a global function in the first section.
fn symbol(symbols: &mut Vec<u8>, name: usize, address: u64, size: usize) {
    symbols.extend((name as u32).to_le_bytes());
    symbols.extend([0x12, 0, 1, 0]);
    symbols.extend(address.to_le_bytes());
    symbols.extend((size as u64).to_le_bytes());
}

/// A file of sections, all of which are in one executable segment that begins with the code.
fn file(machine: Machine, sections: &[Section]) -> Vec<u8> {
    let mut bytes = vec![0; CODE_OFFSET as usize];
    let mut headers = vec![0; 64];
    let mut names = vec![0];
    for section in sections {
        header(&mut headers, &mut names, bytes.len(), section);
        bytes.extend(&section.content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    let loaded = bytes.len() as u64 - CODE_OFFSET;
    // The table of the sections' names has its own name in it.
    let name = Section {
        name: ".shstrtab",
        kind: 3,
        address: 0,
        link: 0,
        content: vec![0; names.len() + ".shstrtab".len() + 1],
    };
    header(&mut headers, &mut names, bytes.len(), &name);
    bytes.extend(names);
    bytes.resize(bytes.len().next_multiple_of(8), 0);

    let machine = match machine {
        Machine::X86_64 => 62_u16,
        Machine::Aarch64 => 183,
    };
    let mut start = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    start.extend([3, 0]);
    start.extend(machine.to_le_bytes());
    start.extend(1_u32.to_le_bytes());
    for word in [0, 64, bytes.len() as u64] {
        start.extend(word.to_le_bytes());
    }
    start.extend(0_u32.to_le_bytes());
    for field in [
        64,
        56,
        1,
        64,
        sections.len() as u16 + 2,
        sections.len() as u16 + 1,
    ] {
        start.extend(field.to_le_bytes());
    }
    // The only program header: PT_LOAD, readable and executable.
    start.extend(1_u32.to_le_bytes());
    start.extend(5_u32.to_le_bytes());
    for word in [CODE_OFFSET, CODE_ADDRESS, CODE_ADDRESS, loaded, loaded, 0x1000] {
        start.extend(word.to_le_bytes());
    }
    bytes[..start.len()].copy_from_slice(&start);
    bytes.extend(headers);
    bytes
}

fn header(headers: &mut Vec<u8>, names: &mut Vec<u8>, offset: usize, section: &Section) {
    headers.extend((names.len() as u32).to_le_bytes());
    names.extend(section.name.as_bytes());
    names.push(0);
    headers.extend(section.kind.to_le_bytes());
    for word in [0, section.address, offset as u64, section.content.len() as u64] {
        headers.extend(word.to_le_bytes());
    }
    headers.extend(section.link.to_le_bytes());
    headers.extend(0_u32.to_le_bytes());
    for word in [1_u64, 0] {
        headers.extend(word.to_le_bytes());
    }
}
