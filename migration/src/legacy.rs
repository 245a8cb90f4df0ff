//! Which databases of Alembic Playhead takes over.

use sea_orm_revisions::{LaterRevision, LegacyRules};

/// Those of v0.9, and of the one revision that came after it.
pub const V09: LegacyRules = LegacyRules {
    release: "v0.9",
    migration: "m20250101_000003_create_watch_history_v09",
    revision: "2f1e7b15dd7f",
    earlier: &["9c233d73b605", "3ab08c05ac2e", "fef8a2c2eebc", "41fff3752bb2"],
    later: Some(LaterRevision {
        revision: "a1b2c3d4e5f6",
        indexes: &[
            ("videos", &["view_count"]),
            ("videos", &["status", "view_count"]),
            ("videos", &["status", "created_at"]),
            ("ratings", &["video_id"]),
        ],
    }),
    enums: &["role", "status"],
    table: "playhead_adoption",
    obstacles: |manager| Box::pin(versions::obstacles(manager)),
};
