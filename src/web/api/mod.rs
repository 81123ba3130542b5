//! What pages and scripts ask. `docs/web-api.md` describes it for users.

mod area;
mod ask;
mod catalog;
mod events;
mod overview;
mod profile;
mod search;
mod slice;
mod sources;
mod timeline;

use super::workers::Handler;

/// Where how far loading is comes from, as events. The server answers that itself.
pub const PROGRESS: &str = "/api/progress";
/// Where files are posted to.
pub const UPLOAD: &str = "/api/upload";

/// An address, and who answers.
pub struct Endpoint {
    /// The whole path; with a slash at its end, how the path begins.
    path: &'static str,
    /// Whether it does more than reading, or takes what is too long for an address.
    pub is_post: bool,
    /// Who answers.
    pub run: Handler,
}

const fn get(path: &'static str, run: Handler) -> Endpoint {
    Endpoint { path, is_post: false, run }
}

const fn post(path: &'static str, run: Handler) -> Endpoint {
    Endpoint { path, is_post: true, run }
}

const ENDPOINTS: &[Endpoint] = &[
    get("/api/analysis", sources::analysis),
    get("/api/diagnostics", sources::diagnostics),
    post("/api/open", sources::open),
    post(UPLOAD, sources::uploaded),
    get("/api/queries", catalog::queries),
    get("/api/schema", catalog::schema),
    get("/api/query/", ask::canned),
    post("/api/sql", ask::sql),
    get("/api/events", events::events),
    get("/api/report", overview::report),
    get("/api/report/plots.svg", overview::plots),
    get("/api/timeline", timeline::timeline),
    post("/api/timeline/order", timeline::order),
    get("/api/timeline/rows", timeline::rows),
    get("/api/timeline/find", timeline::find),
    get("/api/timeline/activity", timeline::activity),
    post("/api/timeline/labels", slice::labels),
    get("/api/tiles", timeline::tiles),
    get("/api/search", search::search),
    post("/api/area", area::area),
    get("/api/slice", slice::slice),
    get("/api/slice/woken", slice::woken),
    get("/api/profiles", profile::list),
    get("/api/profile/", profile::view),
];

/// Who answers a path.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|one| {
        path == one.path
            || one.path.ends_with('/') && path.len() > one.path.len() && path.starts_with(one.path)
    })
}
