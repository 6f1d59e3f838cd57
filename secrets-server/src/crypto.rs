#![doc = include_str!("crypto/README.md")]

pub mod aad;
pub mod aead;
pub mod envelope;
pub mod hkdf;
pub mod mac;
pub mod random;
pub mod secret_bytes;
pub mod transcript;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
mod vectors;

pub use aad::ValueIdentity;
pub use envelope::{OpenError, SealError, data_key_version};
pub use mac::{MacKey, MacPurpose};
pub use random::{Random, RandomError, SystemRandom, random_uid};
pub use secret_bytes::{SecretBytes, SymmetricKey};
pub use transcript::Transcript;
