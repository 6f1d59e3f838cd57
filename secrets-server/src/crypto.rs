//! Cryptography, through aws-lc-rs only.

pub mod aead;
pub mod hkdf;
pub mod mac;
pub mod random;
pub mod secret_bytes;

#[cfg(test)]
mod vectors;

pub use mac::{MacKey, MacPurpose};
pub use random::{Random, RandomError, SystemRandom, random_uid};
pub use secret_bytes::{SecretBytes, SymmetricKey};
