//! The files of `web/`, which are a part of the program.

use super::message::{Answer, Result, missing};
use crate::picture::theme_css;

/// A file of `web/`.
struct Asset {
    /// Its path in that folder.
    path: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The colours, which pages share with the report.
const THEME: &str = "style/theme.css";

/// The theme of the report, of which a page can choose the light or the dark part against the system's wish.
fn theme(of_report: &str) -> String {
    let (light, dark) = of_report.split_once("@media").unwrap_or((of_report, ""));
    let dark = dark.split_once(":root {").map_or("", |(_, rest)| rest);
    let dark = dark.split_once('}').map_or("", |(inside, _)| inside);
    format!(
        "{light}:root {{ color-scheme: light dark; --link: #1f5fae; }}\n\
         :root[data-theme=\"light\"] {{ color-scheme: light; }}\n\
         @media (prefers-color-scheme: dark) {{\n\
         :root:not([data-theme=\"light\"]) {{ --link: #7fb3f5; {dark} }}\n}}\n\
         :root[data-theme=\"dark\"] {{ color-scheme: dark; --link: #7fb3f5; {dark} }}\n"
    )
}

/// How the addresses of all files begin. It is another one for other contents, so browsers may keep them.
pub fn root() -> String {
    format!("/assets/{ASSETS_HASH:016x}/")
}

/// The file with an address.
pub fn find(path: &str) -> Option<Result<Answer>> {
    let rest = path.strip_prefix("/assets/")?;
    let (hash, name) = rest.split_once('/')?;
    let is_this = hash == format!("{ASSETS_HASH:016x}");
    if name == THEME && is_this {
        return Some(Ok(Answer {
            is_immutable: true,
            ..Answer::new(content_type(name), theme(theme_css()))
        }));
    }
    let asset = ASSETS.iter().find(|asset| asset.path == name && is_this);
    Some(asset.ok_or_else(|| missing("no such file")).map(|asset| Answer {
        is_immutable: true,
        ..Answer::new(content_type(asset.path), read(asset))
    }))
}

/// Those who work on pages see a change without building the program anew.
fn read(asset: &Asset) -> Vec<u8> {
    #[cfg(debug_assertions)]
    if let Some(folder) = std::env::var_os("GOTRACE_WEB_FOLDER")
        && let Ok(bytes) = std::fs::read(std::path::Path::new(&folder).join(asset.path))
    {
        return bytes;
    }
    asset.bytes.into()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/html; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_can_be_chosen_against_the_system() {
        let css = theme(theme_css());
        assert_eq!(css.matches("--page:").count(), 3, "{css}");
        assert_eq!(css.matches('{').count(), css.matches('}').count());
    }
}
