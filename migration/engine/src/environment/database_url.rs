//! The address of a database, ready for sqlx.

/// An address as sqlx understands it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    /// The address, which may hold a password.
    pub url: String,
    /// Lines for the log about parts that may be meant otherwise, without secrets.
    pub notes: Vec<String>,
}
