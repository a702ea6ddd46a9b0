//! Which probes go into a file: the places of the libraries that were asked for, without those that cost more than they
//! tell.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::files::ProbedLibrary;
use crate::libraries::code::Cost;
use crate::libraries::hooks::{Attach, Family, Hook, Need, Role, When};
use crate::libraries::identity::{Examination, Library};

/// Probes in one file: generic Rust functions have a copy for each use, all others together some twenty places.
pub const MAX_PROBES_PER_FILE: usize = 256;

/// A probe to be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Which of the plan's libraries it is for.
    pub library: usize,
    /// What for.
    pub hook: &'static Hook,
    /// The kernel program.
    pub program: String,
    /// Whether it is run at the instruction, or at the return of the function entered there.
    pub attach: Attach,
    /// Offset of the instruction in the file.
    pub offset: u64,
}

/// What to do with one file.
#[derive(Debug, Default)]
pub struct Plan {
    /// The libraries that were asked for.
    pub libraries: Vec<ProbedLibrary>,
    /// Their probes.
    pub probes: Vec<Probe>,
    /// Where OpenSSL has the error of a verification in its context, or GnuTLS the alert received last in its session, if the
    /// file's code tells: then the function that returns the error has no probe.
    pub error_offset: Option<u32>,
    /// What is not probed though it could be, or should be and cannot: for the log.
    pub notes: Vec<String>,
}

/// Chooses the probes for a file, of the libraries asked for. `has_cookies` says whether probes can carry a number, by which
/// the kernel half knows files apart.
pub fn plan(examination: &Examination, families: &BTreeSet<Family>, has_cookies: bool) -> Plan {
    let wanted = |library: &&Library| families.contains(&library.family);
    let mut plan = Plan {
        error_offset: error_offset(examination).filter(|_| has_cookies),
        ..Plan::default()
    };
    for library in examination.libraries.iter().filter(wanted) {
        add(&mut plan, library);
    }
    if let Some(problem) = &examination.go_problem
        && families.contains(&Family::Go)
    {
        plan.notes
            .push(format!("Go's functions cannot be found: {problem}"));
    }
    // The kernel puts them in one after the other, and processes do not wait. What begins a tale comes last, so that whoever
    // hears its beginning hears all of it: else a chain could be told without its leaf.
    plan.probes.sort_by_key(|probe| begins(probe.hook.role));
    let excess = plan.probes.len().saturating_sub(MAX_PROBES_PER_FILE);
    if excess > 0 {
        plan.probes.truncate(MAX_PROBES_PER_FILE);
        plan.notes.push(format!(
            "{excess} places beyond the {MAX_PROBES_PER_FILE} that a file may have are left out"
        ));
    }
    plan
}

/// Whether a hit of this role may be the first of several that only mean something together.
fn begins(role: Role) -> bool {
    matches!(
        role,
        Role::OwnRole | Role::Verification | Role::VerifyResult | Role::HandshakeResult
    )
}

/// The one offset of all OpenSSL, or GnuTLS, that is in the file.
fn error_offset(examination: &Examination) -> Option<u32> {
    let mut offsets = examination.libraries.iter().filter_map(|library| {
        let has_hook = |hook: &Hook| match hook.role {
            Role::VerifyError => matches!(library.family, Family::OpenSsl | Family::BoringSsl),
            role => role == Role::AlertReceived,
        };
        let is_asked = library.targets.iter().any(|target| has_hook(target.hook));
        is_asked.then_some(library.error_offset)
    });
    let first = offsets.next().flatten();
    offsets.all(|other| other == first).then_some(first).flatten()
}

fn add(plan: &mut Plan, library: &Library) {
    let number = plan.libraries.len();
    let mut roles = BTreeSet::new();
    for target in &library.targets {
        let hook = target.hook;
        if hook.role == Role::VerifyError && plan.error_offset.is_some() {
            roles.insert(hook.role);
            continue;
        }
        for place in &target.places {
            // Returns are all alike: where they tell something, it is worth what they cost.
            if hook.need == Need::Optional
                && hook.when != When::EachReturnInstruction
                && place.cost == Cost::SingleStepped
            {
                plan.notes.push(format!(
                    "{} is left out: its instruction would be single-stepped, and others tell most of what it tells",
                    target.symbol
                ));
                continue;
            }
            for (program, attach) in hook.programs() {
                // Functions of the same code are one place with several names.
                let is_known = |known: &Probe| known.offset == place.offset && known.program == program;
                if !plan.probes.iter().any(is_known) {
                    roles.insert(hook.role);
                    plan.probes.push(Probe {
                        library: number,
                        hook,
                        program,
                        attach,
                        offset: place.offset,
                    });
                }
            }
        }
    }
    let missing = |need: Need| library.missing.iter().filter(move |(hook, _)| hook.need == need);
    if !library.is_complete() {
        let mut note = format!("{} is not complete:", library.component.part);
        for (hook, why) in missing(Need::Required).chain(missing(Need::OneOfRole)) {
            // Writing to a string does not fail.
            let _ = write!(note, " {} ({why})", hook.name);
        }
        plan.notes.push(note);
    }
    plan.libraries.push(ProbedLibrary {
        family: library.family,
        roles,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libraries::elf::Machine;
    use crate::libraries::identity::examine;
    use crate::libraries::sample::{self, CODE_OFFSET};

    /// `push rbp; ret`
    const PUSH: &[u8] = &[0x55, 0xc3];

    fn plan_of(functions: &[(&str, &[u8])], families: &[Family]) -> Plan {
        let file = sample::library(Machine::X86_64, functions);
        plan(
            &examine(&&file[..]).unwrap(),
            &families.iter().copied().collect(),
            true,
        )
    }

    /// Program, place in the code and way of attaching.
    fn probes(plan: &Plan) -> Vec<(&str, u64, Attach)> {
        let probe = |probe: &Probe| (probe.program.clone(), probe.offset - CODE_OFFSET, probe.attach);
        let probes: Vec<_> = plan.probes.iter().map(probe).collect();
        probes
            .into_iter()
            .map(|(program, at, attach)| (&*program.leak(), at, attach))
            .collect()
    }

    #[test]
    fn a_function_has_its_programs_where_it_is_entered_and_where_it_returns() {
        let functions = [("gnutls_handshake", PUSH), ("gnutls_x509_crt_import", PUSH)];
        let plan = plan_of(&functions, &[Family::GnuTls]);
        let expected = [
            ("gnutls_x509_crt_import", 2, Attach::Instruction),
            ("gnutls_handshake", 0, Attach::Instruction),
            ("gnutls_handshake_return", 0, Attach::Return),
        ];
        assert_eq!(probes(&plan), expected);
        let [library] = &plan.libraries[..] else {
            panic!("{plan:?}")
        };
        assert_eq!(library.roles, [Role::Certificate, Role::HandshakeResult].into());
        let [note] = &plan.notes[..] else {
            panic!("{plan:?}")
        };
        assert!(note.contains("gnutls_alert_send"), "{note}");
    }

    #[test]
    fn what_was_not_asked_for_is_not_probed() {
        let plan = plan_of(&[("gnutls_handshake", PUSH)], &[Family::OpenSsl, Family::Go]);
        assert!(
            plan.probes.is_empty() && plan.libraries.is_empty() && plan.notes.is_empty(),
            "{plan:?}"
        );
    }

    #[test]
    fn a_function_that_tells_where_its_result_is_has_no_probe() {
        // mov eax, [rdi + 0xb0]; ret
        let getter: &[u8] = &[0x8b, 0x87, 0xb0, 0, 0, 0, 0xc3];
        let openssl = |getter| {
            [
                ("X509_verify_cert", PUSH),
                ("ERR_vset_error", PUSH),
                ("X509_STORE_CTX_get_error", getter),
            ]
        };
        let has_probe = |plan: &Plan| {
            let asks = |probe: &Probe| probe.hook.role == Role::VerifyError;
            plan.probes.iter().any(asks)
        };
        let told = plan_of(&openssl(getter), &[Family::OpenSsl]);
        assert_eq!((told.error_offset, has_probe(&told)), (Some(0xb0), false));
        let untold = plan_of(&openssl(PUSH), &[Family::OpenSsl]);
        assert_eq!((untold.error_offset, has_probe(&untold)), (None, true));
        let file = sample::library(Machine::X86_64, &openssl(getter));
        let examination = examine(&&file[..]).unwrap();
        let nameless = plan(&examination, &[Family::OpenSsl].into(), false);
        assert_eq!((nameless.error_offset, has_probe(&nameless)), (None, true));
    }

    #[test]
    fn a_session_is_hit_once_by_whatever_name_it_is_asked_for() {
        let hits = |functions: &[(&str, &[u8])]| {
            let plan = plan_of(functions, &[Family::OpenSsl]);
            let of_sessions = probes(&plan)
                .into_iter()
                .filter(|(program, ..)| *program == "openssl_d2i_ssl_session");
            of_sessions.map(|(_, at, _)| at).collect::<Vec<_>>()
        };
        let older = [("SSL_get_peer_certificate", PUSH), ("d2i_SSL_SESSION", PUSH)];
        let old = [("SSL_get1_peer_certificate", PUSH), ("d2i_SSL_SESSION", PUSH)];
        // In the newer ones it leads to the other.
        let new = [old[0], old[1], ("d2i_SSL_SESSION_ex", PUSH)];
        assert_eq!([hits(&older), hits(&old), hits(&new)], [[2], [2], [4]]);
    }

    #[test]
    fn a_hook_that_is_not_needed_is_left_out_where_it_would_cost_much() {
        // mov eax, [rdi]; ret
        let stepped: &[u8] = &[0x8b, 0x07, 0xc3];
        let functions = [
            ("SSL_get1_peer_certificate", stepped),
            ("gnutls_handshake", stepped),
        ];
        let plan = plan_of(&functions, &[Family::OpenSsl, Family::GnuTls]);
        let expected = [
            ("gnutls_handshake", 3, Attach::Instruction),
            ("gnutls_handshake_return", 3, Attach::Return),
        ];
        assert_eq!(probes(&plan), expected);
        assert!(
            plan.notes
                .iter()
                .any(|note| note.contains("SSL_get1_peer_certificate")),
            "{:?}",
            plan.notes
        );
    }
}
