//! What each setting means: the text of `playhead --help`. Clap reads the values from the
//! command line and the environment; `Settings` parses them.

use clap::Args;
use std::ffi::OsString;

/// The settings as text, not yet parsed. Each is read from a flag, or else from the environment
/// variable of the same name; `.env` is part of the environment by then.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (each a flag, an environment variable, or a line of .env)")]
pub(crate) struct SettingArgs {
    /// The database: a SQLite file, created when missing, or postgres://USER:PASSWORD@HOST/NAME
    ///
    /// SQLAlchemy's URLs work too. Default: sqlite://playhead.db?mode=rwc
    // An id of its own, because `migrate` has a `database_url` too.
    #[arg(
        id = "DATABASE_URL",
        long = "database-url",
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(super) database_url: Option<OsString>,
    /// A file that holds the value of DATABASE_URL, such as a secret of Docker or Kubernetes
    #[arg(long, env, hide_env_values = true, value_name = "FILE")]
    pub(super) database_url_file: Option<OsString>,
    /// A Redis that carries events between the processes of a site: redis://… or rediss://…
    ///
    /// With it, live sockets hear of changes in all processes. Default: none
    #[arg(long, env, hide_env_values = true, value_name = "URL")]
    pub(super) redis_url: Option<OsString>,
    /// A file that holds the value of REDIS_URL
    #[arg(long, env, hide_env_values = true, value_name = "FILE")]
    pub(super) redis_url_file: Option<OsString>,
    /// redis: the processes of a site share lists in the Redis of REDIS_URL. Default: off
    ///
    /// All processes of the site must have the same value.
    #[arg(long, env, value_name = "CACHE")]
    pub(super) list_cache: Option<OsString>,
    /// Address and port to listen on; port 0 picks a free one. Default: 127.0.0.1:8000
    #[arg(long, env, value_name = "ADDRESS")]
    pub(super) bind_address: Option<OsString>,
    /// Address and port on which Prometheus reads /metrics, such as 127.0.0.1:9100. Default: off
    ///
    /// Another one than BIND_ADDRESS, which never shows metrics; no password protects it.
    #[arg(long, env, value_name = "ADDRESS")]
    pub(super) metrics_address: Option<OsString>,
    /// The key that signs access tokens, at least 32 bytes (openssl rand -base64 48)
    ///
    /// Other users of the machine can see a flag: prefer the variable or the file.
    /// Default: with SQLite, created at the first start and kept beside the database file;
    /// with PostgreSQL it must be set, the same for all replicas.
    #[arg(long, env, hide_env_values = true, value_name = "KEY")]
    pub(super) jwt_secret: Option<OsString>,
    /// A file that holds the value of JWT_SECRET
    #[arg(long, env, hide_env_values = true, value_name = "FILE")]
    pub(super) jwt_secret_file: Option<OsString>,
    /// Lifetime of an access token in minutes. Default: 30
    #[arg(long, env, value_name = "MINUTES")]
    pub(super) access_token_minutes: Option<OsString>,
    /// Lifetime of a refresh token in days. Default: 30
    #[arg(long, env, value_name = "DAYS")]
    pub(super) refresh_token_days: Option<OsString>,
    /// How long a spent refresh token returns the same new token again, 0 to 600. Default: 60
    ///
    /// Two tabs that refresh at once, or a lost response, then sign nobody out.
    #[arg(long, env, value_name = "SECONDS")]
    pub(super) refresh_grace_seconds: Option<OsString>,
    /// The folder that `playhead scan` walks and the server streams from. Default: media
    #[arg(long, env, value_name = "FOLDER")]
    pub(super) media_dir: Option<OsString>,
    /// Upgrade the schema to head at the start. Default: true with SQLite, false with PostgreSQL
    #[arg(long, env, value_name = "BOOL")]
    pub(super) auto_migrate: Option<OsString>,
    /// A video is completed at or above this share of its duration, and in its last second.
    /// Default: 90
    #[arg(long, env, value_name = "PERCENT")]
    pub(super) completed_percent: Option<OsString>,
    /// A video resumes at positions above this one. Default: 5
    #[arg(long, env, value_name = "SECONDS")]
    pub(super) resume_min_seconds: Option<OsString>,
    /// A video resumes at positions below this share of its duration. Default: 95
    #[arg(long, env, value_name = "PERCENT")]
    pub(super) resume_max_percent: Option<OsString>,
    /// How many days the watch history of every viewer is kept, 1 to 3650. Default: no limit
    ///
    /// A viewer may choose a shorter time, but not a longer one.
    #[arg(long, env, value_name = "DAYS")]
    pub(super) history_max_days: Option<OsString>,
    /// full: an acknowledged save survives power loss. normal: only a crash of the process.
    /// Default: full
    #[arg(long, env, value_name = "MODE")]
    pub(super) sqlite_synchronous: Option<OsString>,
    /// Origins whose pages may call the API, such as https://app.example.org, comma-separated. Default: none
    #[arg(long, env, value_name = "ORIGINS")]
    pub(super) cors_origins: Option<OsString>,
    /// The path under which a reverse proxy publishes the site, such as /ph. Default: none
    #[arg(long, env, value_name = "PATH")]
    pub(super) public_path: Option<OsString>,
    /// Reverse proxies whose X-Forwarded-For is trusted. Default: none
    ///
    /// Addresses and networks, comma-separated, such as 127.0.0.1,10.0.0.0/8.
    #[arg(long, env, value_name = "NETWORKS")]
    pub(super) trusted_proxies: Option<OsString>,
    /// How many videos one address may stream at once. Default: 64
    #[arg(long, env, value_name = "NUMBER")]
    pub(super) streams_per_address: Option<OsString>,
    /// false: only `playhead user create` creates accounts. Default: true
    #[arg(long, env, value_name = "BOOL")]
    pub(super) open_registration: Option<OsString>,
    /// Sign-ups from one address in an hour, and as many account changes; 0: no limit. Default: 100
    #[arg(long, env, value_name = "NUMBER")]
    pub(super) sign_ups_per_hour: Option<OsString>,
    /// Writes of one account in a minute, besides saves and sign-ins; 0: no limit. Default: 300
    #[arg(long, env, value_name = "NUMBER")]
    pub(super) writes_per_minute: Option<OsString>,
    /// The same for all accounts of one address together; 0: no limit. Default: 1500
    #[arg(long, env, value_name = "NUMBER")]
    pub(super) address_writes_per_minute: Option<OsString>,
    /// Videos that an account may create over the API; 0: no limit. Default: 10000
    #[arg(long, env, value_name = "NUMBER")]
    pub(super) videos_per_user: Option<OsString>,
    /// Minutes between two computations of recommendations; 0: never. Default: 60
    #[arg(long, env, value_name = "MINUTES")]
    pub(super) recommendations_every_minutes: Option<OsString>,
    /// development or production. Default: development
    ///
    /// In production, commands that drop data need --yes, logs have no colours, and the first
    /// account is created by command.
    #[arg(long, env, value_name = "NAME")]
    pub(super) playhead_env: Option<OsString>,
    /// The access log on standard output, a line for each request: off, text or json. Default: off
    #[arg(long, env, value_name = "FORMAT")]
    pub(super) access_log: Option<OsString>,
    /// What is logged: a level, or module=level, comma-separated. Default: info
    #[arg(long, env, value_name = "FILTER")]
    pub(super) rust_log: Option<OsString>,
}
