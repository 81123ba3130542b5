//! Which address shows which page, and where the addresses of `go tool trace` and pprof lead.

use super::assets;
use super::message::{Answer, Request, Result};
use super::session::Session;
use crate::picture::escaped;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A page: its address (with a slash at its end: how its address begins), its module in `web/pages/`, and its
/// title.
struct Page(&'static str, &'static str, &'static str);

const PAGES: &[Page] = &[
    Page("/", "overview", "Overview"),
    Page("/timeline", "timeline", "Timeline"),
    Page("/goroutines", "goroutines", "Goroutines"),
    Page("/goroutines/", "goroutine_group", "Goroutines"),
    Page("/goroutine/", "goroutine", "Goroutine"),
    Page("/collector", "collector", "Collector"),
    Page("/scheduler", "subject", "Scheduler"),
    Page("/syscalls", "subject", "System calls"),
    Page("/network", "subject", "Network"),
    Page("/locks", "subject", "Locks"),
    Page("/channels", "subject", "Channels"),
    Page("/threads", "subject", "Threads"),
    Page("/procs", "subject", "Procs"),
    Page("/tasks", "tasks", "Tasks"),
    Page("/task/", "task", "Task"),
    Page("/regions", "regions", "Regions"),
    Page("/profile", "profile", "Profile"),
    Page("/events", "events", "Events"),
    Page("/sql", "sql", "SQL"),
    Page("/queries", "queries", "Queries"),
    Page("/query/", "query", "Query"),
    Page("/diagnostics", "diagnostics", "Diagnostics"),
];

/// The page or file with an address; `None` if it is neither.
pub fn answer(request: &Request, _session: &Session) -> Option<Result<Answer>> {
    let path = &*request.path;
    if let Some(file) = assets::find(path) {
        return Some(file);
    }
    if request.is_post {
        return None;
    }
    if let Some(location) = elsewhere(request) {
        return Some(Ok(Answer::redirect(location)));
    }
    let is_page = |page: &&Page| {
        path == page.0 || page.0.len() > 1 && page.0.ends_with('/') && path.starts_with(page.0)
    };
    let page = PAGES.iter().find(is_page)?;
    Some(Ok(Answer::new("text/html; charset=utf-8", shell(page))))
}

/// What every page consists of before its module fills it.
fn shell(page: &Page) -> String {
    let Page(_, module, title) = page;
    let root = assets::root();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} - gotrace</title>\n\
         <link rel=\"icon\" href=\"{root}icon.svg\">\n\
         <link rel=\"stylesheet\" href=\"{root}style/theme.css\">\n\
         <link rel=\"stylesheet\" href=\"{root}style/page.css\">\n\
         <script src=\"{root}theme.js\"></script>\n\
         <script type=\"module\" src=\"{root}pages/{module}.js\"></script>\n\
         </head>\n<body data-page=\"{module}\" data-title=\"{title}\">\n\
         <noscript>gotrace web needs JavaScript.</noscript>\n</body>\n</html>\n",
        title = escaped(title),
    )
}

/// Where an address of `go tool trace` (`cmd/trace/main.go`) or of pprof's web page (`internal/driver/webui.go`)
/// leads.
fn elsewhere(request: &Request) -> Option<String> {
    let get = |name: &str| request.get(name).unwrap_or("");
    let with = |page: &str, pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        if pairs.is_empty() { page.to_owned() } else { format!("{page}?{}", pairs.join("&")) }
    };
    let profile = |kind: &str| {
        with(
            "/profile",
            &[
                ("type", kind),
                ("function", get("name")),
                ("region", get("type")),
                ("view", "graph"),
            ],
        )
    };
    let pprof = |view: &str| {
        let sign = if request.query.is_empty() { "" } else { "&" };
        format!("/profile?view={view}{sign}{}", request.query)
    };
    let path = request.path.strip_prefix("/ui").filter(|it| !it.is_empty());
    Some(match path.unwrap_or(&request.path) {
        "/trace" | "/jsontrace" => {
            let lanes = match get("view") {
                "thread" => "threads",
                "proc" => "procs",
                _ => "",
            };
            let task = if get("taskid").is_empty() { get("focustask") } else { get("taskid") };
            let pairs = [
                ("lanes", lanes),
                ("goroutine", get("goid")),
                ("task", task),
                ("from", get("start")),
                ("to", get("end")),
            ];
            with("/timeline", &pairs)
        }
        "/goroutine" => {
            format!("/goroutines/{}", utf8_percent_encode(get("name"), NON_ALPHANUMERIC))
        }
        "/mmu" => "/collector".into(),
        "/usertasks" => "/tasks".into(),
        "/usertask" => with(
            "/tasks",
            &[
                ("type", get("type")),
                ("min", get("latmin")),
                ("max", get("latmax")),
                ("search", get("logtext")),
            ],
        ),
        "/userregions" => "/regions".into(),
        "/userregion" => with(
            "/regions",
            &[("type", get("type")), ("min", get("latmin")), ("max", get("latmax"))],
        ),
        "/io" | "/regionio" => profile("net"),
        "/block" | "/regionblock" => profile("sync"),
        "/syscall" | "/regionsyscall" => profile("syscall"),
        "/sched" | "/regionsched" => profile("sched"),
        "/flamegraph" | "/flamegraph2" | "/flamegraphold" => pprof("flame"),
        "/graph" => pprof("graph"),
        "/top" => pprof("top"),
        "/peek" => pprof("peek"),
        "/source" => pprof("source"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::message::parameters;
    use super::*;

    fn leads(path: &str, query: &str) -> Option<String> {
        elsewhere(&Request {
            path: path.into(),
            query: query.into(),
            parameters: parameters(query),
            ..Request::default()
        })
    }

    #[test]
    fn the_addresses_of_go_lead_to_what_answers_the_same() {
        let cases = [
            ("/trace", "view=proc", "/timeline?lanes=procs"),
            ("/trace", "goid=12", "/timeline?goroutine=12"),
            ("/trace", "taskid=3&start=5&end=9", "/timeline?task=3&from=5&to=9"),
            ("/goroutine", "name=main.f%26x", "/goroutines/main%2Ef%26x"),
            ("/mmu", "", "/collector"),
            ("/usertask", "type=t&latmin=1ms&logtext=a", "/tasks?type=t&min=1ms&search=a"),
            ("/io", "name=main.f", "/profile?type=net&function=main%2Ef&view=graph"),
            ("/ui/flamegraph", "si=cpu&f=main", "/profile?view=flame&si=cpu&f=main"),
            ("/ui/top", "", "/profile?view=top"),
        ];
        for (path, query, want) in cases {
            assert_eq!(leads(path, query).as_deref(), Some(want), "{path}?{query}");
        }
        assert_eq!(leads("/goroutines", ""), None);
    }
}
