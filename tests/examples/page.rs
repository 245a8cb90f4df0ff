//! `docs/from-sqlalchemy.md`: every Rust snippet on it stands in a file that is compiled and tested.
