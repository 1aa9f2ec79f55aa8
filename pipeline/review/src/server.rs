//! All of it put together.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, patch, post};
use jiff::Timestamp;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::pass::Pass;
use shorewatch_imagery::blocks::BlockCache;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;

use crate::access::guard::guard;
use crate::access::limits::Buckets;
use crate::access::provider::Provider;
use crate::api::{
    accounts, bulk, chips, decisions, field, figures, layers, leases, patches, provider, queue, sessions,
};
use crate::imagery::{CACHE_BYTES, Imagery};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::stores::Stores;
use crate::{ogc, page};

/// Bytes of a body that is no photograph.
const MOST_BODY_BYTES: usize = 1 << 20;

/// How long the list of passes is taken for up to date.
const PASSES_HOLD: Duration = Duration::from_secs(10);

/// A server at work.
pub struct App {
    /// What it was told.
    pub settings: Settings,
    /// The store.
    pub stores: Arc<Stores>,
    /// Imagery.
    pub imagery: Arc<Imagery>,
    /// What was counted.
    pub metrics: Metrics,
    /// Requests by account.
    pub requests: Buckets,
    /// Attempts to log in by address.
    pub log_ins: Buckets,
    /// The identity provider, where there is one.
    pub provider: Option<Provider>,
    /// Passwords that are hashed at the same time: each takes 19 MiB.
    hashing: Semaphore,
    /// Tiles that are drawn at the same time.
    pub drawing: Semaphore,
    passes: Mutex<Option<(Instant, Arc<Vec<Pass>>)>>,
}

impl App {
    /// Opens the store.
    ///
    /// # Errors
    /// There is no store, it is damaged, or another program holds it; the settings of the identity provider are wrong.
    pub fn open(settings: Settings, now: Timestamp) -> Result<Arc<Self>, ServeError> {
        let provider = settings.provider.clone().map(|provider| Provider::new(provider, settings.origin.as_deref()));
        let provider = provider.transpose().map_err(ServeError::Provider)?;
        let stores = Stores::open(&settings.store, settings.readers, now)?;
        let per_second = settings.requests_per_second;
        let cache = Arc::new(BlockCache::new(CACHE_BYTES));
        Ok(Arc::new(Self {
            imagery: Arc::new(Imagery::new(settings.sensors.clone(), settings.limits, settings.folder(), cache)),
            stores: Arc::new(stores),
            metrics: Metrics::default(),
            requests: Buckets::new(per_second.saturating_mul(10), Duration::from_secs(10)),
            log_ins: Buckets::new(settings.log_ins_per_minute, Duration::from_secs(60)),
            provider,
            hashing: Semaphore::new(2),
            drawing: Semaphore::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get)),
            passes: Mutex::default(),
            settings,
        }))
    }

    /// Does work on a password away from the requests, not too much of it at once.
    ///
    /// # Errors
    /// The work failed.
    pub async fn hash<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, Problem> {
        let _permit = self.hashing.acquire().await.map_err(|fault| Problem::internal(&fault))?;
        let done = tokio::task::spawn_blocking(work).await.map_err(|fault| Problem::internal(&fault))?;
        done.map_err(|fault| Problem::internal(&fault))
    }

    /// The passes of the store, read again where they may be out of date or one of `wanted` is missing.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn passes(&self, wanted: &[Digest]) -> Result<Arc<Vec<Pass>>, Problem> {
        let known = self.passes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, passes)) = known.filter(|(read_at, passes)| {
            read_at.elapsed() < PASSES_HOLD && wanted.iter().all(|id| passes.iter().any(|pass| pass.id == *id))
        }) {
            return Ok(passes);
        }
        let passes = Arc::new(self.stores.read(shorewatch_store::Store::passes).await?);
        *self.passes.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&passes)));
        Ok(passes)
    }

    /// Does what takes processor time on a thread for such work, not more at a time than there are cores.
    ///
    /// # Errors
    /// Whatever `work` says; the server is going down.
    pub async fn draw<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _permit = self.drawing.acquire().await.map_err(|fault| Problem::internal(&fault))?;
        tokio::task::spawn_blocking(work).await.map_err(|fault| Problem::internal(&fault))?
    }
}

/// Every route.
pub fn router(app: Arc<App>) -> Router {
    let photos = DefaultBodyLimit::max(app.settings.most_photo_bytes + (64 << 10));
    let of_patch = Router::new()
        .route("/api/patches/{patch_id}", get(patches::detail))
        .route("/api/patches/{patch_id}/layers", get(layers::around))
        .route("/api/patches/{patch_id}/chips/{date}", get(chips::chip))
        .route("/api/patches/{patch_id}/tiles/{pass_id}/{bands}/{level}/{column}/{row}", get(chips::tile))
        .route("/api/patches/{patch_id}/photos/{photo_id}", get(field::photo))
        .route("/api/patches/{patch_id}/lease", post(leases::take).delete(leases::give_back))
        .route("/api/patches/{patch_id}/decisions", post(decisions::decide))
        .route("/api/patches/{patch_id}/undo", post(decisions::undo_on))
        .route("/api/patches/{patch_id}/audit", post(decisions::audit))
        .route("/api/patches/{patch_id}/field-link", post(field::link))
        .route("/api/patches/{patch_id}/field", get(field::show).post(field::report))
        .route("/api/patches/{patch_id}/photos", post(field::add_photo).layer(photos));
    let routes = Router::new()
        .route("/", get(page::desk))
        .route("/field", get(page::field))
        .route("/assets/{*path}", get(page::asset))
        .route("/health", get(crate::api::health))
        .route("/openapi.json", get(crate::api::openapi))
        .route("/metrics", get(crate::api::metrics))
        .route("/api/session", post(sessions::log_in).get(sessions::show).delete(sessions::log_out))
        .route("/api/session/provider", get(provider::show).post(provider::begin))
        .route("/api/session/provider/callback", get(provider::finish))
        .route("/api/sessions", delete(sessions::log_out_everywhere))
        .route("/api/password", post(sessions::change_password))
        .route("/api/field-session", get(field::session))
        .route("/api/queue", get(queue::page))
        .route("/api/queue/filters", get(queue::filters))
        .route("/api/queue/counts", get(queue::counts))
        .route("/api/next", post(leases::next))
        .route("/api/undo", post(decisions::undo))
        .route("/api/bulk", post(bulk::decide))
        .route("/api/passes/{pass_id}/bad-imagery", post(bulk::bad_imagery))
        .route("/api/map/patches", get(layers::map))
        .route("/api/audit/sample", get(figures::sample))
        .route("/api/figures/yield", get(figures::yields))
        .route("/api/figures/agreement", get(figures::agreement))
        .route("/api/export/decisions", get(figures::export))
        .route("/api/accounts", get(accounts::list).post(accounts::add))
        .route("/api/accounts/{account}", patch(accounts::change))
        .route("/api/accounts/{account}/reset", post(accounts::reset))
        .route("/api/accounts/{account}/tokens", post(accounts::add_token))
        .route("/api/access-log", get(accounts::log))
        .route("/ogc", get(ogc::landing))
        .route("/ogc/api", get(crate::api::openapi))
        .route("/ogc/conformance", get(ogc::conformance))
        .route("/ogc/collections", get(ogc::collections))
        .route("/ogc/collections/{collection}", get(ogc::collection))
        .route("/ogc/collections/{collection}/items", get(ogc::items))
        .route("/ogc/collections/{collection}/items/{feature}", get(ogc::item));
    routes
        .merge(of_patch)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .route_layer(from_fn_with_state(Arc::clone(&app), guard))
        .fallback(async || Problem::not_found("page"))
        .method_not_allowed_fallback(async || {
            Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "method", "this route has no such method")
        })
        .layer(from_fn(page::headers))
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// Answers until the process is asked to end, then makes the store one file again. `ready` is called once who asks it to end is
/// heard, and before the first answer.
///
/// # Errors
/// The address is taken; the store can't be closed.
pub fn serve(
    app: &Arc<App>,
    listener: std::net::TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let service = router(Arc::clone(app)).into_make_service_with_connect_info::<SocketAddr>();
        let mut until = Box::pin(until);
        // its handlers are in place once it has been looked at
        if std::future::poll_fn(|context| Poll::Ready(until.as_mut().poll(context).is_ready())).await {
            return Ok(());
        }
        ready();
        axum::serve(listener, service).with_graceful_shutdown(until).await
    })?;
    runtime.shutdown_timeout(Duration::from_secs(10));
    app.stores.close()?;
    Ok(())
}

/// Waits for an interrupt or a request to end.
pub async fn asked_to_end() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}

/// Why a server ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A password.
    #[error("a password can't be hashed: {0}")]
    Password(String),
    /// The identity provider.
    #[error("the identity provider: {0}")]
    Provider(String),
    /// The network.
    #[error("the server can't answer: {0}")]
    Network(#[from] std::io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] shorewatch_store::StoreError),
}
