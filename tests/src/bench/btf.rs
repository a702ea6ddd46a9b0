//! Names of types in BTF, the kernel's own debugging format (`Documentation/bpf/btf.rst`): the kernel keeps 15 characters of
//! a program's name, and all of it here.

/// Kinds of types whose records are longer than the common part.
const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const FUNCTION_PROTOTYPE: u32 = 13;
const VARIABLE: u32 = 14;
const SECTION: u32 = 15;
const DECLARATION_TAG: u32 = 17;
const ENUM64: u32 = 19;
/// Bytes of the common part: name, kind and count of members, size or type.
const TYPE: usize = 12;

/// The name of the type with this id; none if the bytes are no BTF, or have no such type.
pub fn name(btf: &[u8], id: u32) -> Option<String> {
    let number = |at: usize| -> Option<usize> {
        let bytes = btf.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?) as usize)
    };
    let header = number(4)?;
    let (mut at, strings) = (header + number(8)?, header + number(16)?);
    // Ids begin at 1.
    for _ in 1..id {
        let info = number(at + 4)?;
        at += TYPE + members(info as u32 >> 24 & 0x1f, info & 0xffff);
    }
    let name = btf.get(strings + number(at)?..)?;
    let end = name.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(name.get(..end)?).into_owned())
}

/// Bytes behind the common part of a type with so many members.
fn members(kind: u32, count: usize) -> usize {
    match kind {
        INT | VARIABLE | DECLARATION_TAG => 4,
        ARRAY => 12,
        STRUCT | UNION | SECTION | ENUM64 => 12 * count,
        ENUM | FUNCTION_PROTOTYPE => 8 * count,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_function_is_named_behind_types_of_other_lengths() {
        let strings = b"\0int\0probe\0";
        // An integer, a prototype with one parameter, a function.
        let types: [u32; 12] = [1, 1 << 24, 4, 32, 0, 13 << 24 | 1, 1, 0, 1, 5, 12 << 24, 2];
        let types: Vec<u8> = types.into_iter().flat_map(u32::to_ne_bytes).collect();
        let lengths =
            [24, 0, types.len(), types.len(), strings.len()].map(|length| (length as u32).to_ne_bytes());
        let btf = [&[0x9f, 0xeb, 1, 0], lengths.as_flattened(), &types, strings].concat();
        assert_eq!(name(&btf, 1).as_deref(), Some("int"));
        assert_eq!(name(&btf, 3).as_deref(), Some("probe"));
        assert_eq!(name(&btf, 4), None);
        assert_eq!(name(&btf[..20], 1), None);
    }
}
