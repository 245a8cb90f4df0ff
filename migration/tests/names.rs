//! Existing accounts whose names look alike, or differ in the form of their letters, keep their
//! names and get free keys.

#![cfg(test)]

mod support;

use sea_orm_revisions::Target;
use support::{TestDatabase, run, texts};

/// The migration that adds the skeletons of names.
const SKELETONS: &str = "m20261130_000001_name_skeletons";
const BEFORE: &str = "m20261120_000001_order_saves";

const ACCOUNTS: [(i64, &str, &str); 8] = [
    (1, "Ann", "ann"),
    (2, "A\u{308}nn", "a\u{308}nn"),
    (3, "Änn", "änn"),
    (4, "paypal", "paypal"),
    (5, "раураӏ", "раураӏ"),
    (6, "Straße", "straße"),
    (7, "ann\u{3164}", "ann\u{3164}"),
    (8, "bu\u{308}cher", "bu\u{308}cher"),
];

on_both! {
    async fn existing_names_keep_their_spelling_and_get_free_keys(db: TestDatabase) {
        db.up(Target::Name(BEFORE.to_owned())).await;
        let connection = db.connect().await;
        for (id, name, key) in ACCOUNTS {
            run(&connection, &format!(
                "INSERT INTO users (id, email, email_key, username, username_key, hashed_password, created_at, updated_at) \
                 VALUES ({id}, '{name}@example.org', '{key}@example.org', '{name}', '{key}', 'x', \
                 '2026-11-20 10:00:00.000+00:00', '2026-11-20 10:00:00.000+00:00')"
            )).await;
        }
        connection.close().await.unwrap();
        assert_eq!(db.up(Target::Steps(1)).await, [SKELETONS]);
        let connection = db.connect().await;
        let column = async |name: &str| {
            texts(&connection, &format!("SELECT coalesce({name}, '-') FROM users ORDER BY id")).await
        };
        assert_eq!(column("username").await, ACCOUNTS.map(|(_, name, _)| name));
        // The third name is the second one in composed letters: its key is taken, so it keeps the
        // old one.
        let keys = ["ann", "a\u{308}nn", "änn", "paypal", "раураӏ", "strasse", "ann\u{1160}", "bücher"];
        assert_eq!(column("username_key").await, keys);
        let skeletons = ["ann", "a\u{308}nn", "-", "paypal", "-", "strasse", "-", "bücher"];
        let skeletons = skeletons.map(|skeleton| if skeleton == "bücher" { "bu\u{308}cher" } else { skeleton });
        let actual = column("username_skeleton").await;
        assert_eq!(actual.iter().map(|text| text == "-").collect::<Vec<_>>(), skeletons.map(|text| text == "-"));
        assert_eq!(column("email_key").await[7], "bücher@example.org");
        connection.close().await.unwrap();
        db.down(Target::Steps(1)).await;
        assert_eq!(db.up(Target::Steps(1)).await, [SKELETONS]);
        assert_eq!(texts(&db.connect().await, "SELECT username_skeleton FROM users WHERE id = 4").await, ["paypal"]);
    }
}
