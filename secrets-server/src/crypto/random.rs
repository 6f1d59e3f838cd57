//! Randomness as a parameter.

use secrets_core::Uid;

/// A source of cryptographically strong random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes`, or fails without promising anything about them.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The generator of aws-lc-rs, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| RandomError)
    }
}

/// The source of randomness failed; nothing may be made from what it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct RandomError;

/// A random uid: version 4, RFC 9562.
pub fn random_uid(random: &dyn Random) -> Result<Uid, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// Counts 0, 1, 2, … so that a test can make the same record again.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct CountingRandom(std::sync::atomic::AtomicU8);

#[cfg(test)]
impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A source that is out of order.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct BrokenRandom;

#[cfg(test)]
impl Random for BrokenRandom {
    fn fill(&self, _bytes: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut first).unwrap();
        SystemRandom.fill(&mut second).unwrap();
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        let uid = random_uid(&CountingRandom::default()).unwrap();
        assert_eq!(uid.to_string(), "00010203-0405-4607-8809-0a0b0c0d0e0f");
        assert_ne!(random_uid(&SystemRandom).unwrap(), random_uid(&SystemRandom).unwrap());
    }

    #[test]
    fn a_broken_source_makes_no_uid() {
        assert_eq!(random_uid(&BrokenRandom), Err(RandomError));
    }
}
