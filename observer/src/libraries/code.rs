//! Instructions of a function: where a probe costs least, where the function returns, what constant it returns.
//!
//! A uprobe on an instruction that the kernel emulates costs a tenth of one that it must single-step. The arguments that
//! are read and the stack pointer are often still in place a few instructions on, so that the probe can be put there: at
//! the `push` behind an `endbr64`, at the jump that passes a call on, or behind Go's check of the stack's size. Go's function
//! begins anew after it has grown the stack: there, the instruction behind the check is also met once only.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::elf::Machine;
use super::file::Error;

/// Instructions of a function at which a place for a probe is looked for.
const PROLOGUE: usize = 8;
/// Bytes of the instructions at which a place is looked for, at most.
pub const PROLOGUE_SIZE: u64 = 15 * PROLOGUE as u64;
/// Returns of one function: `clientHandshake`, which has the most of those of interest, has some thirteen.
pub const MAX_RETURNS: usize = 256;

/// What a probe on an instruction costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cost {
    /// A five-byte nop, which newer kernels replace by a call: the cheapest.
    Nop5,
    /// Emulated by the kernel: `push`, other nops, jumps and calls.
    Emulated,
    /// Single-stepped out of line: about ten times the cost.
    SingleStepped,
}

/// Where to put a probe for the entry of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes from the function's first instruction on; arguments and stack pointer are still what they were there.
    pub skip: u64,
    /// What a probe costs there.
    pub cost: Cost,
}

/// Arguments that a probe reads, so that their registers must be what they were when the function was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arguments {
    /// These of a C function, counted from 1; those that are passed on the stack need no mention.
    C(&'static [u8]),
    /// Any, wherever the language passes them.
    Any,
}

impl Arguments {
    /// Whether one of them is in a register, or a part of it.
    fn are_in(self, register: Register) -> bool {
        /// By the System V ABI for AMD64, in their order.
        const REGISTERS: [[Register; 4]; 6] = [
            [Register::RDI, Register::EDI, Register::DI, Register::DIL],
            [Register::RSI, Register::ESI, Register::SI, Register::SIL],
            [Register::RDX, Register::EDX, Register::DX, Register::DL],
            [Register::RCX, Register::ECX, Register::CX, Register::CL],
            [Register::R8, Register::R8D, Register::R8W, Register::R8L],
            [Register::R9, Register::R9D, Register::R9W, Register::R9L],
        ];
        match self {
            Self::C(arguments) => (1..)
                .zip(REGISTERS)
                .any(|(number, names)| names.contains(&register) && arguments.contains(&number)),
            // R12 is a scratch register in Go, and one that a function must keep elsewhere.
            Self::Any => !matches!(register, Register::R12 | Register::R12D),
        }
    }
}

/// The best place for a probe at the beginning of a function.
pub fn entry(machine: Machine, code: &[u8], arguments: Arguments) -> Entry {
    match machine {
        Machine::X86_64 => x86_entry(code, arguments),
        Machine::Aarch64 => Entry {
            skip: 0,
            cost: arm_cost(code),
        },
    }
}

fn x86_entry(code: &[u8], arguments: Arguments) -> Entry {
    let mut place = Entry {
        skip: 0,
        cost: Cost::SingleStepped,
    };
    let mut behind_stack_check = false;
    for instruction in Decoder::new(64, code, DecoderOptions::NONE).iter().take(PROLOGUE) {
        let grows_stack = behind_stack_check && instruction.mnemonic() == Mnemonic::Jbe;
        let cost = x86_cost(code, &instruction);
        if cost != Cost::SingleStepped {
            let skip = instruction.ip();
            place = Entry { skip, cost };
        }
        // The instruction behind the branch is met once, the branch again when the stack has grown.
        if !grows_stack && (cost != Cost::SingleStepped || !leaves(&instruction, arguments)) {
            break;
        }
        behind_stack_check = is_stack_check(&instruction);
    }
    place
}

/// As `branch_setup_xol_ops` and `push_setup_xol_ops` of the kernel's `arch/x86/kernel/uprobes.c` have it.
fn x86_cost(code: &[u8], instruction: &Instruction) -> Cost {
    let bytes = code.get(instruction.ip() as usize..instruction.next_ip() as usize);
    match (bytes.unwrap_or_default(), instruction.mnemonic()) {
        ([0x0f, 0x1f, 0x44, 0, 0], _) => Cost::Nop5,
        // The kernel's own forms of nops, one for each length.
        (
            [0x90] | [0x66, 0x90] | [0x0f, 0x1f, 0] | [0x0f, 0x1f, 0x40, 0] | [0x66, 0x0f, 0x1f, 0x44, 0, 0],
            _,
        )
        | ([0x0f, 0x1f, 0x80, 0, 0, 0, 0] | [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], _) => Cost::Emulated,
        ([0x50..=0x57] | [0x41, 0x50..=0x57], _) => Cost::Emulated,
        ([0xe8 | 0xe9 | 0xeb | 0x70..=0x7f, ..] | [0x0f, 0x80..=0x8f, ..], _) => Cost::Emulated,
        _ => Cost::SingleStepped,
    }
}

/// Go's comparison of the stack pointer with the limit in the goroutine's structure, which R14 points to. The branch behind
/// it goes to where the stack is grown, and from there back to the function's beginning.
fn is_stack_check(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Cmp
        && instruction.memory_base() == Register::R14
        && instruction.memory_displacement64() == 16
}

/// Whether the instruction leaves arguments, stack pointer and memory as they are and is always followed by the next.
fn leaves(instruction: &Instruction, arguments: Arguments) -> bool {
    match instruction.mnemonic() {
        Mnemonic::Endbr64 | Mnemonic::Nop | Mnemonic::Cmp | Mnemonic::Test => true,
        Mnemonic::Mov | Mnemonic::Movsxd | Mnemonic::Movzx | Mnemonic::Lea => {
            writes_other(instruction, arguments)
        }
        Mnemonic::Xor | Mnemonic::And | Mnemonic::Add | Mnemonic::Sub => writes_other(instruction, arguments),
        _ => false,
    }
}

fn writes_other(instruction: &Instruction, arguments: Arguments) -> bool {
    let register = instruction.op0_register();
    instruction.op0_kind() == OpKind::Register
        && !matches!(
            register,
            Register::RSP | Register::ESP | Register::SP | Register::SPL
        )
        && !arguments.are_in(register)
}

fn arm_cost(code: &[u8]) -> Cost {
    // Hints, nop and `bti` and `paciasp` among them, are 1101 0101 0000 0011 0010 xxxx xxx1 1111; the kernel steps over
    // the nops among them.
    match arm_words(code).next() {
        Some(word) if word & 0xffff_f01f == 0xd503_201f => Cost::Emulated,
        _ => Cost::SingleStepped,
    }
}

/// Bytes from the beginning of a function at which it returns. `code` is the whole function.
///
/// # Errors
/// If it is no code, or returns at more than [`MAX_RETURNS`] places.
pub fn returns(machine: Machine, code: &[u8]) -> Result<Vec<u64>, Error> {
    let what = "returns of a function";
    let found: Vec<u64> = match machine {
        Machine::X86_64 => {
            let mut found = Vec::new();
            for instruction in &mut Decoder::new(64, code, DecoderOptions::NONE) {
                if instruction.is_invalid() {
                    let why = "its instructions cannot be decoded";
                    return Err(Error::Malformed { what, why });
                }
                if matches!(instruction.mnemonic(), Mnemonic::Ret | Mnemonic::Retf) {
                    found.push(instruction.ip());
                }
            }
            found
        }
        // RET Xn; compilers use X30.
        Machine::Aarch64 => (0..)
            .step_by(4)
            .zip(arm_words(code))
            .filter_map(|(at, word)| (word & 0xffff_fc1f == 0xd65f_0000).then_some(at))
            .collect(),
    };
    if found.len() > MAX_RETURNS {
        return Err(Error::TooMany {
            what,
            count: found.len() as u64,
            limit: MAX_RETURNS as u64,
        });
    }
    Ok(found)
}

/// The constant that a function returns that does nothing else, of up to 32 bits: `mov eax, constant; ret`.
pub fn constant(machine: Machine, code: &[u8]) -> Option<u32> {
    match machine {
        Machine::X86_64 => x86_constant(code),
        Machine::Aarch64 => arm_constant(code),
    }
}

fn x86_constant(code: &[u8]) -> Option<u32> {
    let mut value = None;
    for instruction in Decoder::new(64, code, DecoderOptions::NONE).iter().take(PROLOGUE) {
        match (instruction.code(), instruction.mnemonic()) {
            (Code::Mov_r32_imm32, _) if instruction.op0_register() == Register::EAX => {
                value = Some(instruction.immediate32());
            }
            (_, Mnemonic::Ret) => return value,
            // With a frame pointer, or for a processor that checks indirect branches.
            (_, Mnemonic::Endbr64 | Mnemonic::Nop | Mnemonic::Push | Mnemonic::Pop) => {}
            (_, Mnemonic::Mov) if instruction.op0_register() == Register::RBP => {}
            _ => return None,
        }
    }
    None
}

fn arm_constant(code: &[u8]) -> Option<u32> {
    let mut value = None;
    for word in arm_words(code).take(PROLOGUE) {
        // MOVZ and MOVK of W0 or X0, with a shift of 0 or 16 bits.
        let part = (word >> 5 & 0xffff) << (word >> 17 & 0x10);
        match word & 0x7fc0_001f {
            0x5280_0000 => value = Some(part),
            0x7280_0000 => value = value.map(|low| low | part),
            _ if word & 0xffff_f01f == 0xd503_201f => {}
            _ if word & 0xffff_fc1f == 0xd65f_0000 => return value,
            _ => return None,
        }
    }
    None
}

fn arm_words(code: &[u8]) -> impl Iterator<Item = u32> {
    code.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(skip: u64, cost: Cost) -> Entry {
        Entry { skip, cost }
    }

    fn x86(code: &[u8]) -> Entry {
        entry(Machine::X86_64, code, Arguments::Any)
    }

    #[test]
    fn a_probe_goes_to_the_first_cheap_instruction() {
        assert_eq!(x86(&[0x55, 0x48, 0x89, 0xe5]), at(0, Cost::Emulated), "push rbp");
        assert_eq!(x86(&[0x0f, 0x1f, 0x44, 0, 0]), at(0, Cost::Nop5));
        let endbr64_push = [0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0x57];
        assert_eq!(x86(&endbr64_push), at(4, Cost::Emulated));
        let branch = [0x48, 0x85, 0xff, 0x74, 0x02, 0x55];
        assert_eq!(x86(&branch), at(3, Cost::Emulated), "test rdi,rdi; je; push");
    }

    #[test]
    fn in_go_it_goes_behind_the_check_of_the_stack() {
        let push = [0x49, 0x3b, 0x66, 0x10, 0x76, 0x20, 0x55, 0x48, 0x89, 0xe5];
        assert_eq!(
            x86(&push),
            at(6, Cost::Emulated),
            "cmp rsp,[r14+16]; jbe; push rbp"
        );
        let large = [
            0x4c, 0x8d, 0x64, 0x24, 0xe0, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x10, 0, 0, 0, 0x55,
        ];
        assert_eq!(
            x86(&large),
            at(15, Cost::Emulated),
            "lea r12,[rsp-32]; cmp r12,[r14+16]; jbe; push rbp"
        );
        let sub = [0x49, 0x3b, 0x66, 0x10, 0x76, 0x20, 0x48, 0x83, 0xec, 0x18, 0x55];
        assert_eq!(
            x86(&sub),
            at(4, Cost::Emulated),
            "cmp; jbe; sub rsp,24; push: Go before 1.20"
        );
        let other = [0x49, 0x3b, 0x66, 0x18, 0x76, 0x20, 0x55];
        assert_eq!(x86(&other), at(4, Cost::Emulated), "another comparison");
    }

    #[test]
    fn it_passes_only_what_leaves_the_arguments_that_are_read() {
        let stepped = at(0, Cost::SingleStepped);
        // As OpenSSL's d2i_X509 and X509_STORE_CTX_set_ex_data.
        let mov_ecx = [0xb9, 0xe0, 0x2b, 0xde, 2, 0xe9, 0, 0, 0, 0];
        assert_eq!(x86(&mov_ecx), stepped);
        let three = Arguments::C(&[1, 2, 3]);
        assert_eq!(
            entry(Machine::X86_64, &mov_ecx, three),
            at(5, Cost::Emulated),
            "mov ecx; jmp"
        );
        let add_rdi = [0x48, 0x81, 0xc7, 0xe0, 0, 0, 0, 0xe9, 0, 0, 0, 0];
        assert_eq!(entry(Machine::X86_64, &add_rdi, three), stepped);
        let third = Arguments::C(&[3]);
        assert_eq!(
            entry(Machine::X86_64, &add_rdi, third),
            at(7, Cost::Emulated),
            "add rdi; jmp"
        );
        let low_byte = [0x40, 0xb7, 1, 0x55];
        assert_eq!(
            entry(Machine::X86_64, &low_byte, three),
            stepped,
            "mov dil,1; push"
        );
        let memory = [0x48, 0x89, 0x17, 0x55];
        assert_eq!(
            entry(Machine::X86_64, &memory, third),
            stepped,
            "mov [rdi],rdx; push"
        );
    }

    #[test]
    fn it_does_not_pass_what_moves_the_stack_or_may_not_go_on() {
        let stepped = at(0, Cost::SingleStepped);
        let none = |code: &[u8]| entry(Machine::X86_64, code, Arguments::C(&[]));
        assert_eq!(none(&[0x48, 0x83, 0xec, 0x08, 0x55]), stepped, "sub rsp,8; push");
        assert_eq!(
            none(&[0x8b, 0x87, 0xb0, 0, 0, 0, 0xc3, 0x55]),
            stepped,
            "mov eax,[rdi+176]; ret"
        );
        assert_eq!(none(&[0xff, 0xe0, 0x55]), stepped, "jmp rax");
        assert_eq!(none(&[]), stepped);
        assert_eq!(none(&[0x06, 0xff]), stepped, "no instruction");
    }

    #[test]
    fn returns_are_instructions_and_not_bytes() {
        // mov eax, 0xc3c3c3c3; ret; int3; ret 8; repz ret
        let code = [
            0xb8, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3, 0xcc, 0xc2, 0x08, 0, 0xf3, 0xc3,
        ];
        assert_eq!(returns(Machine::X86_64, &code).unwrap(), [5, 7, 10]);
        assert!(returns(Machine::X86_64, &[0x06]).is_err());
        let arm: Vec<u8> = [0xd503_201f_u32, 0xd65f_03c0, 0xd65f_0140, 0xd61f_0140]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        assert_eq!(returns(Machine::Aarch64, &arm).unwrap(), [4, 8]);
        assert!(returns(Machine::X86_64, &[0xc3; MAX_RETURNS + 1]).is_err());
    }

    #[test]
    fn a_constant_is_read_of_a_function_that_returns_one() {
        let x86 = |code: &[u8]| constant(Machine::X86_64, code);
        assert_eq!(x86(&[0xb8, 0x30, 0x01, 0, 0x30, 0xc3]), Some(0x3000_0130));
        assert_eq!(x86(&[0xf3, 0x0f, 0x1e, 0xfa, 0xb8, 1, 0, 0, 0, 0xc3]), Some(1));
        let framed = [0x55, 0x48, 0x89, 0xe5, 0xb8, 2, 0, 0, 0, 0x5d, 0xc3];
        assert_eq!(x86(&framed), Some(2));
        assert_eq!(x86(&[0x8b, 0x07, 0xc3]), None, "mov eax,[rdi]; ret");
        assert_eq!(x86(&[0xb8, 1, 0, 0, 0]), None, "cut off");
        // mov w0, #0x0130; movk w0, #0x3000, lsl #16; ret
        let arm: Vec<u8> = [0x5280_2600_u32, 0x72a6_0000, 0xd65f_03c0]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        assert_eq!(constant(Machine::Aarch64, &arm), Some(0x3000_0130));
    }
}
