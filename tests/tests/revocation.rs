//! Revocation by CRLs and OCSP responses that OpenSSL made, held against the answers that OpenSSL gives.

mod revocation {
    pub mod authority;
    pub mod combined;
    pub mod crls;
    pub mod fetching;
    pub mod foreign;
    pub mod pkits;
    pub mod responses;
}
