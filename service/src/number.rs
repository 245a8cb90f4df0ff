//! Reading whole numbers from JSON: `10`, and also `10.0` or `1e1`. The type "integer" of the
//! OpenAPI document allows them (JSON Schema 2020-12, core 4.2.3), and clients in languages with
//! one number type send them.

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Reads a whole number.
///
/// # Errors
/// It is not a number, has a fraction, or is out of range.
pub fn whole<'de, D: Deserializer<'de>, T: TryFrom<i64>>(number: D) -> Result<T, D::Error> {
    number.deserialize_i64(Whole(PhantomData))
}

/// Like [`whole`], for an optional number.
///
/// # Errors
/// Those of [`whole`].
pub fn whole_or_null<'de, D: Deserializer<'de>, T: TryFrom<i64>>(number: D) -> Result<Option<T>, D::Error> {
    number.deserialize_option(OrNull(PhantomData))
}

/// Like [`whole_or_null`], with `Some(None)` for `null` and `None` for an absent field.
///
/// # Errors
/// Those of [`whole`].
pub fn double_option<'de, D: Deserializer<'de>, T: TryFrom<i64>>(number: D) -> Result<Option<Option<T>>, D::Error> {
    whole_or_null(number).map(Some)
}

/// Like [`whole`], for a list of numbers.
///
/// # Errors
/// Those of [`whole`], for the first item that is wrong; it is not a list.
pub fn whole_list<'de, D: Deserializer<'de>, T: TryFrom<i64>>(list: D) -> Result<Vec<T>, D::Error> {
    let items = Vec::<WholeNumber<T>>::deserialize(list)?;
    Ok(items.into_iter().map(|WholeNumber(number)| number).collect())
}

struct WholeNumber<T>(T);

impl<'de, T: TryFrom<i64>> Deserialize<'de> for WholeNumber<T> {
    fn deserialize<D: Deserializer<'de>>(number: D) -> Result<Self, D::Error> {
        whole(number).map(Self)
    }
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i64>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::custom(OUT_OF_RANGE))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_i64(number.try_into().map_err(|_| E::custom(OUT_OF_RANGE))?)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        /// Up to this value every whole number has an exact float (2^53).
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() != 0.0 {
            return Err(E::invalid_type(Unexpected::Float(number), &self));
        }
        if number.abs() >= EXACT {
            return Err(E::custom(OUT_OF_RANGE));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        self.visit_i64(number as i64)
    }
}

const OUT_OF_RANGE: &str = "is out of range";

struct OrNull<T>(PhantomData<T>);

impl<'de, T: TryFrom<i64>> Visitor<'de> for OrNull<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or null")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, number: D) -> Result<Option<T>, D::Error> {
        whole(number).map(Some)
    }
}
