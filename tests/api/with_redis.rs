//! Tests that have a Redis of their own.

/// Writes a test once and runs it on both databases, with a Redis of its own.
macro_rules! with_redis {
    ($(async fn $name:ident($app:ident: TestApp, $redis:ident: RedisServer) $body:block)*) => { $(
        mod $name {
            use super::*;

            #[allow(unused_mut, reason = "some tests kill Redis")]
            async fn run(engine: $crate::databases::Engine) {
                let mut $redis = $crate::redis_server::RedisServer::start();
                let options = $crate::app::TestOptions { redis_url: Some($redis.url()), ..Default::default() };
                let $app = TestApp::start_with(engine, options).await;
                $body
            }

            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs redis-server"]
            async fn on_sqlite() {
                run($crate::databases::Engine::Sqlite).await
            }

            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs redis-server and PostgreSQL"]
            async fn on_postgres() {
                run($crate::databases::Engine::Postgres).await
            }
        }
    )* };
}
