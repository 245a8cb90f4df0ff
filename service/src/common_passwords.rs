//! Passwords that are easy to guess.

use crate::names::fold;
use std::collections::HashSet;
use std::sync::LazyLock;

/// The 10,000 most common passwords, folded. Their source: `service/data/README.md`.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("../data/common-passwords.txt").lines().collect());

/// Whether the password is one of the most common ones, ignoring case.
pub(crate) fn is_common(password: &str) -> bool {
    COMMON.contains(fold(password.trim()).as_str())
}

/// Whether the password is the user name, the e-mail address or the part before its `@`, ignoring
/// case.
pub(crate) fn is_own_name(password: &str, username: &str, email: &str) -> bool {
    let mailbox = email.rsplit_once('@').map_or(email, |(mailbox, _)| mailbox);
    let password = fold(password.trim());
    [username, email, mailbox].into_iter().any(|name| fold(name) == password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_10000_passwords_and_each_is_found() {
        assert_eq!(COMMON.len(), 10_000);
        assert!(COMMON.iter().all(|password| is_common(password)));
    }

    #[test]
    fn a_common_password_is_known_in_any_case() {
        for password in
            ["password", "Password1", "PASSWORD123", "qwertyuiop", " 12345678 ", "ｐａｓｓｗｏｒｄ", "iloveyou"]
        {
            assert!(is_common(password), "{password}");
        }
        for password in ["correct horse", "battery staple", "another one", "", "pässword"] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn the_own_name_is_known_in_any_case() {
        for password in ["Charlotte", "CHARLOTTE.B@example.org", "charlotte.b", "ｃｈａｒｌｏｔｔｅ"] {
            assert!(is_own_name(password, "charlotte", "charlotte.b@example.org"), "{password}");
        }
        assert!(!is_own_name("correct horse", "charlotte", "charlotte@example.org"));
    }
}
