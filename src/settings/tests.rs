//! Settings as operators write them.

use super::*;
use clap::builder::Resettable;
use clap::{Args, Command, FromArgMatches};

/// Parses these values, and nothing from the environment of the test.
fn settings(values: &[(&str, &str)]) -> Result<Settings, String> {
    let command = SettingArgs::augment_args(Command::new("settings")).mut_args(|arg| arg.env(Resettable::Reset));
    let flags = values.iter().map(|(name, value)| format!("--{}={value}", name.to_lowercase().replace('_', "-")));
    let matches = command.get_matches_from(["settings".to_owned()].into_iter().chain(flags));
    Settings::parse(SettingArgs::from_arg_matches(&matches).unwrap())
}

#[test]
fn without_any_variable_the_documented_defaults_hold() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.database_url, "sqlite://playhead.db?mode=rwc");
    assert_eq!(settings.bind_address.to_string(), "127.0.0.1:8000");
    assert_eq!(settings.access_token_lifetime, Duration::from_secs(30 * 60));
    assert_eq!(settings.refresh_token_lifetime, Duration::from_secs(30 * 86_400));
    assert_eq!(settings.rules.completed_percent, 90);
    assert_eq!((settings.rules.resume_min_seconds, settings.rules.resume_max_percent), (5, 95));
    assert_eq!(settings.durability, Durability::Full);
    assert_eq!(settings.recommendations_every, Some(Duration::from_secs(3600)));
    assert_eq!(settings.history_max_days, None);
    assert!(settings.auto_migrate && settings.open_registration && !settings.production);
    assert_eq!(settings.rates, LimitSettings::default());
}

#[test]
fn postgresql_does_not_migrate_by_itself_and_shows_no_password() {
    let settings = settings(&[("DATABASE_URL", "postgres://ann:pass@localhost/playhead")]).unwrap();
    assert!(!settings.auto_migrate);
    assert_eq!(settings.database(), "postgres://localhost/playhead");
}

#[test]
fn a_bad_value_is_named_with_what_is_allowed_and_secrets_are_not() {
    for (name, value, part) in [
        ("ACCESS_TOKEN_MINUTES", "soon", "ACCESS_TOKEN_MINUTES=soon: must be a whole number from 1"),
        ("COMPLETED_PERCENT", "101", "from 1 to 100; the default is 90"),
        ("RESUME_MIN_SECONDS", "-1", "RESUME_MIN_SECONDS=-1"),
        ("WRITES_PER_MINUTE", "-1", "WRITES_PER_MINUTE=-1: must be a whole number from 0"),
        ("HISTORY_MAX_DAYS", "0", "HISTORY_MAX_DAYS=0: must be a whole number from 1 to 3650"),
        ("RECOMMENDATIONS_EVERY_MINUTES", "-1", "must be a whole number from 0 to 525600; the default is 60"),
        ("AUTO_MIGRATE", "maybe", "must be true or false"),
        ("SQLITE_SYNCHRONOUS", "off", "must be full or normal"),
        ("BIND_ADDRESS", "nowhere", "must be an address and a port"),
        ("CORS_ORIGINS", "https://a.example, *", "CORS_ORIGINS=*: must be an exact origin"),
        ("CORS_ORIGINS", "https://a.example/path", "without a path"),
        ("CORS_ORIGINS", "http://[", "must be an exact origin"),
        ("DATABASE_URL", "sqlite::memory:", "lives in memory only"),
        ("DATABASE_URL", "sqlite://", "names no file"),
        ("DATABASE_URL", "sqlite://a.db?mode=bogus", "bogus"),
        ("JWT_SECRET", "short", "has 5 bytes and needs 32"),
        ("MEDIA_DIR", "/dev/null", "is not a folder"),
        ("RUST_LOG", "a=b=c", "write a level"),
        ("TRUSTED_PROXIES", "localhost", "must be the addresses"),
        ("PUBLIC_PATH", "/a?b", "PUBLIC_PATH=/a?b: must be a path such as /ph"),
        ("PUBLIC_PATH", "/docs", "choose another first segment"),
        ("ACCESS_LOG", "yes", "must be off or text or json"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "must be the addresses"),
        ("TRUSTED_PROXIES", "10.0.0.1, 0.0.0.0/0", "would trust everybody"),
        ("TRUSTED_PROXIES", "::/0", "would trust everybody"),
        ("TRUSTED_PROXIES", "::ffff:0:0/96", "would trust everybody"),
        ("STREAMS_PER_ADDRESS", "0", "must be a whole number from 1"),
        ("PLAYHEAD_ENV", "prod", "must be development or production"),
    ] {
        let error = settings(&[(name, value)]).unwrap_err();
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    }
    let error = settings(&[("DATABASE_URL", "mysql://root:hunter2@db/x")]).unwrap_err();
    assert!(error.contains("the scheme is unknown") && !error.contains("hunter2"), "{error}");
}

#[test]
fn origins_are_read_as_browsers_write_them() {
    let origins =
        settings(&[("CORS_ORIGINS", "https://Example.org:443, http://localhost:5173,")]).unwrap().cors_origins;
    assert_eq!(origins, ["https://example.org", "http://localhost:5173"]);
}

#[test]
fn a_sqlite_file_is_made_when_it_is_missing_unless_the_url_says_otherwise() {
    for (given, read) in [
        ("sqlite://a.db", "sqlite://a.db?mode=rwc"),
        ("sqlite:a.db?cache=private", "sqlite:a.db?cache=private&mode=rwc"),
        ("sqlite://a.db?mode=rw", "sqlite://a.db?mode=rw"),
    ] {
        assert_eq!(settings(&[("DATABASE_URL", given)]).unwrap().database_url, read);
    }
}

#[test]
fn proxies_are_addresses_and_networks_in_either_form() {
    let list = "127.0.0.1, ::1,10.1.2.3/8, 2001:db8::/32, ::ffff:192.0.2.1, ::ffff:172.16.0.0/108";
    let proxies = settings(&[("TRUSTED_PROXIES", list)]).unwrap().trusted_proxies;
    let proxies: Vec<_> = proxies.iter().map(ToString::to_string).collect();
    let expected = ["127.0.0.1/32", "::1/128", "10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32", "172.16.0.0/12"];
    assert_eq!(proxies, expected);
}

#[test]
fn the_metrics_have_an_address_of_their_own() {
    let address = ("METRICS_ADDRESS", "127.0.0.1:8000");
    let error = settings(&[address]).err().unwrap();
    assert_eq!(error, "METRICS_ADDRESS=127.0.0.1:8000: is also BIND_ADDRESS; choose another port");
    assert!(settings(&[address, ("BIND_ADDRESS", "127.0.0.1:8001")]).is_ok());
}

#[test]
fn shared_lists_need_a_redis() {
    let redis = ("REDIS_URL", "redis://localhost");
    assert!(settings(&[redis]).unwrap().list_cache.is_none());
    assert!(settings(&[redis, ("LIST_CACHE", "redis")]).unwrap().list_cache.is_some());
    assert_eq!(settings(&[("LIST_CACHE", "redis")]).err().unwrap(), "LIST_CACHE=redis: needs a Redis; set REDIS_URL");
}
