//! What the sources and pages may not say, and how long they may be.
//!
//! `cargo test --workspace --test style -- --include-ignored` lists every finding with its file and
//! line.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod lexer;
mod paths;
mod shape;
mod types;
mod words;

/// Fails with one finding a line.
fn assert_none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}: {} findings\n{}", findings.len(), findings.join("\n"));
}
