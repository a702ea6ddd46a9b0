//! Registered numbers as newtypes: unknown values, GREASE and order survive, which an enum would lose.
//!
//! Each type has a constant for every value it can name, `name()`, and a `Display` that falls back to hex. Numbers and
//! names are those of the IANA registries "TLS Parameters" and "TLS ExtensionType Values". Numbers that were never
//! registered but are met on the wire have the names of the implementations that sent them.

mod cipher_suite;
mod extension_type;
mod extension_values;
mod named_group;
mod record;
mod revocation;
mod signature_scheme;

pub use cipher_suite::CipherSuite;
pub use extension_type::ExtensionType;
pub use extension_values::{
    CertificateChainType, CertificateCompressionAlgorithm, CertificateStatusType, CertificateType,
    EcPointFormat, HeartbeatMode, HpkeAead, HpkeKdf, KeyUpdateRequest, MaxFragmentLength, PskKeyExchangeMode,
    SrtpProtectionProfile,
};
pub use named_group::NamedGroup;
pub use record::{AlertDescription, AlertLevel, ContentType, HandshakeType, ProtocolVersion};
pub use revocation::{CrlReason, OcspResponseStatus};
pub use signature_scheme::SignatureScheme;

/// Makes a newtype with its named values. A value without a text is named as its constant.
macro_rules! codepoints {
    (
        $(#[$doc:meta])*
        $type:ident($int:ty);
        $($constant:ident = $value:literal $(, $text:literal)?;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $int);

        impl $type {
            $(
                #[doc = concat!("`", codepoints!(@name $constant $($text)?), "`")]
                #[allow(non_upper_case_globals, reason = "the registry writes these names so")]
                pub const $constant: Self = Self($value);
            )*

            /// The registered name, if this crate knows the value.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(codepoints!(@name $constant $($text)?)),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $type {
            /// The registered name, else the value as hex of the field's full width.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, "0x{:0width$X}", self.0, width = 2 * size_of::<$int>()),
                }
            }
        }

        impl From<$int> for $type {
            fn from(value: $int) -> Self {
                Self(value)
            }
        }
    };
    (@name $constant:ident) => { stringify!($constant) };
    (@name $constant:ident $text:literal) => { $text };
}
pub(crate) use codepoints;

/// Gives 16-bit code points `is_grease`.
macro_rules! greased {
    ($($type:ident),*) => {
        $(impl $type {
            /// Whether the value is one that RFC 8701 reserves to keep implementations tolerant (0x0A0A … 0xFAFA).
            pub const fn is_grease(self) -> bool {
                let [high, low] = self.0.to_be_bytes();
                high == low && low & 0x0f == 0x0a
            }
        })*
    };
}
greased!(
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_known_values_and_shows_others_as_hex() {
        assert_eq!(CipherSuite(0x1301).name(), Some("TLS_AES_128_GCM_SHA256"));
        assert_eq!(
            CipherSuite(0xc02f).to_string(),
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        );
        assert_eq!(CipherSuite(0x0b0b).name(), None);
        assert_eq!(CipherSuite(0x0b0b).to_string(), "0x0B0B");
        assert_eq!(HandshakeType(0xab).to_string(), "0xAB");
        assert_eq!(AlertDescription(48).to_string(), "unknown_ca");
        assert_eq!(AlertDescription(116).to_string(), "certificate_required");
        assert_eq!(ExtensionType(0xfe0d).to_string(), "encrypted_client_hello");
        assert_eq!(SignatureScheme(0x0804).to_string(), "rsa_pss_rsae_sha256");
    }

    #[test]
    fn the_sixteen_grease_values_are_told_apart() {
        let grease: Vec<u16> = (0..=u16::MAX).filter(|&v| CipherSuite(v).is_grease()).collect();
        assert_eq!(grease.len(), 16);
        assert_eq!(grease.first(), Some(&0x0a0a));
        assert_eq!(grease.last(), Some(&0xfafa));
        assert!(!NamedGroup(0x0a1a).is_grease());
    }
}
