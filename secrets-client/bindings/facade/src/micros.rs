use std::fmt;

use secrets_core::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A time in microseconds since 1970 (UTC), also as the only kind of number that JavaScript has.
#[derive(Clone, Copy, Debug)]
pub struct Micros(pub i64);

/// 2⁵³: up to here, such a number is a whole one exactly.
const MOST: f64 = 9_007_199_254_740_992.0;

impl From<Micros> for Timestamp {
    fn from(micros: Micros) -> Self {
        Self::from_micros(micros.0)
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number)
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = Micros;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of microseconds")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Micros, E> {
        Ok(Micros(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Micros, E> {
        i64::try_from(number).map(Micros).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Micros, E> {
        if number.fract() == 0.0 && number.abs() <= MOST {
            Ok(Micros(number as i64))
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }
}
