//! Where a structure of a library has what one of its functions returns: read off the function's own code.
//!
//! `int get_error(const CONTEXT *context)` is one load and a return in every build of OpenSSL. A probe in it costs more than
//! any other, for a load must be single-stepped, and services call it often. The offset in the load lets a probe elsewhere
//! read the same place. It is no guess: it is what the library itself does, in this very file.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::elf::Machine;

/// Instructions of such a function at most: a mark for indirect calls, the load, the clearing of registers, the return.
const INSTRUCTIONS: usize = 8;
/// A structure that is passed by its address is not larger.
const MAX_OFFSET: u64 = 64 * 1024;

/// The offset of the `int` that the function with this code returns of the structure that is its first argument; `None` if
/// it does anything else.
pub fn offset(machine: Machine, code: &[u8]) -> Option<u32> {
    match machine {
        Machine::X86_64 => x86_offset(code),
        Machine::Aarch64 => None,
    }
}

fn x86_offset(code: &[u8]) -> Option<u32> {
    let mut found = None;
    for instruction in Decoder::new(64, code, DecoderOptions::NONE)
        .iter()
        .take(INSTRUCTIONS)
    {
        match instruction.mnemonic() {
            Mnemonic::Endbr64 | Mnemonic::Nop => {}
            Mnemonic::Mov if found.is_none() => found = Some(load(&instruction)?),
            // Compilers are told to clear registers before they return.
            Mnemonic::Xor if is_cleared(&instruction) => {}
            Mnemonic::Ret => return found,
            _ => return None,
        }
    }
    None
}

/// The offset of `mov eax, [rdi + offset]`.
fn load(instruction: &Instruction) -> Option<u32> {
    let is_load = instruction.op0_kind() == OpKind::Register
        && instruction.op0_register() == Register::EAX
        && instruction.op1_kind() == OpKind::Memory
        && instruction.memory_base() == Register::RDI
        && instruction.memory_index() == Register::None
        && instruction.segment_prefix() == Register::None;
    let offset = instruction.memory_displacement64();
    u32::try_from(offset)
        .ok()
        .filter(|_| is_load && offset < MAX_OFFSET)
}

/// Whether it clears a register that is not the result.
fn is_cleared(instruction: &Instruction) -> bool {
    instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register()
        && !matches!(
            instruction.op0_register(),
            Register::RAX | Register::EAX | Register::AX | Register::AL | Register::AH
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &[u8], expected: Option<u32>) {
        assert_eq!(offset(Machine::X86_64, code), expected);
    }

    #[test]
    fn a_load_and_a_return_tell_the_offset() {
        check(&[0x8b, 0x87, 0xb0, 0, 0, 0, 0xc3], Some(0xb0));
        check(&[0x8b, 0x47, 0x18, 0xc3], Some(0x18));
        // endbr64; mov eax, [rdi + 0xb0]; xor edi, edi; ret
        check(
            &[
                0xf3, 0x0f, 0x1e, 0xfa, 0x8b, 0x87, 0xb0, 0, 0, 0, 0x31, 0xff, 0xc3,
            ],
            Some(0xb0),
        );
    }

    #[test]
    fn whatever_else_it_does_tells_nothing() {
        // mov rax, [rdi + 0xb0]: no int.
        check(&[0x48, 0x8b, 0x87, 0xb0, 0, 0, 0, 0xc3], None);
        // mov eax, [rsi + 0xb0]: not of its first argument.
        check(&[0x8b, 0x86, 0xb0, 0, 0, 0, 0xc3], None);
        // mov eax, [rdi - 8]: before it.
        check(&[0x8b, 0x47, 0xf8, 0xc3], None);
        // mov eax, [rdi + 0xb0]; xor eax, eax; ret
        check(&[0x8b, 0x87, 0xb0, 0, 0, 0, 0x31, 0xc0, 0xc3], None);
        // mov eax, [rdi + 0xb0]; mov eax, [rdi + 0xb4]; ret
        check(
            &[0x8b, 0x87, 0xb0, 0, 0, 0, 0x8b, 0x87, 0xb4, 0, 0, 0, 0xc3],
            None,
        );
        // push rbp; mov rbp, rsp; …
        check(&[0x55, 0x48, 0x89, 0xe5, 0x8b, 0x47, 0x18, 0xc3], None);
        // Cut off before the return, and nothing at all.
        check(&[0x8b, 0x87, 0xb0, 0, 0, 0], None);
        check(&[], None);
        assert_eq!(offset(Machine::Aarch64, &[0x8b, 0x47, 0x18, 0xc3]), None);
    }
}
