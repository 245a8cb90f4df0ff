//! NUMERIC(5,2) that is exact on both databases.

use sea_orm::entity::prelude::*;

// snippet: exact
/// Millimetres with two decimals, below a thousand: what NUMERIC(5,2) holds.
///
/// SQLite would keep NUMERIC as a binary fraction: 12.34 comes back, but sums and products of it miss. So the column is
/// an INTEGER of hundredths, which both databases compare, sort and add exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeriveValueType)]
pub struct Lift(i32);

impl Lift {
    /// What would have to be rounded, or is too large, is refused.
    pub fn new(millimetres: Decimal) -> Result<Self, DbErr> {
        let hundredths = millimetres * Decimal::ONE_HUNDRED;
        let fits = hundredths.is_integer() && millimetres.abs() < Decimal::ONE_THOUSAND;
        let hundredths = hundredths.try_into().ok().filter(|_| fits);
        hundredths.map(Self).ok_or_else(|| DbErr::Type(format!("{millimetres} mm does not fit NUMERIC(5,2)")))
    }

    /// The number to calculate with.
    pub fn millimetres(self) -> Decimal {
        Decimal::new(self.0.into(), 2)
    }
}
// end
