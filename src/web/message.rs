//! Requests and answers, as handlers see them.

pub use super::failure::{Failure, Result, bad, missing};

use super::asker::Asker;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};
use std::io;
use tokio::sync::mpsc::Receiver;

/// A request, whole.
#[derive(Debug, Default)]
pub struct Request {
    /// Whether it is a POST; else it is a GET.
    pub is_post: bool,
    /// Decoded, without the question mark and what follows.
    pub path: String,
    /// What follows, as it came.
    pub query: String,
    /// Names and values of it, in order.
    pub parameters: Vec<(String, String)>,
    /// What was posted.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a parameter; the first of several. An empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    /// The number that a parameter is.
    ///
    /// # Errors
    /// If it is something else.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.get(name)
            .map(|text| text.parse().map_err(|_| bad(format!("{name}: want a whole number"))))
            .transpose()
    }

    /// What was posted, as JSON.
    ///
    /// # Errors
    /// If it is something else.
    pub fn json(&self) -> Result<Json, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| bad(format!("the body: {error}")))
    }
}

/// Names and values of a query string. What is not UTF-8 in it is replaced.
pub fn parameters(query: &str) -> Vec<(String, String)> {
    let decoded =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Body,
    /// Where to go instead.
    pub location: Option<String>,
    /// The name under which a browser saves it.
    pub file_name: Option<String>,
    /// Whether the browser may keep it for ever: the same address has always the same content.
    pub is_immutable: bool,
}

/// Writes an answer while it is sent.
pub type Write = dyn FnOnce(&mut Asker, &mut dyn io::Write) -> io::Result<()> + Send;

/// What an answer consists of.
pub enum Body {
    Whole(Bytes),
    /// It is written by the worker that answers.
    Written(Box<Write>),
    /// It comes in parts; one that is an error breaks the connection off, so that nobody takes what came
    /// for the whole.
    Parts(Receiver<Result<Bytes, io::Error>>),
}

impl Answer {
    pub fn new(content_type: &'static str, bytes: impl Into<Bytes>) -> Answer {
        Answer {
            status: 200,
            content_type,
            body: Body::Whole(bytes.into()),
            location: None,
            file_name: None,
            is_immutable: false,
        }
    }

    pub fn json(value: &Json) -> Answer {
        Answer::new("application/json", value.to_string())
    }

    /// A page that is found elsewhere.
    pub fn redirect(location: String) -> Answer {
        Answer { status: 303, location: Some(location), ..Answer::new("text/plain", Bytes::new()) }
    }
}

impl Failure {
    /// What is said of it.
    pub fn into_answer(self) -> Answer {
        let mut body = json!({ "error": self.error });
        if let Some(hint) = self.hint {
            body["hint"] = hint.into();
        }
        Answer { status: self.status, ..Answer::json(&body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let want = [("a", "b c"), ("é", "="), ("flag", ""), ("a", "2")];
        let got = parameters("a=b+c&%C3%A9=%3D&flag&&a=2");
        assert!(got.iter().map(|(a, b)| (&**a, &**b)).eq(want), "{got:?}");
        let request = Request { parameters: got, ..Request::default() };
        assert_eq!(request.get("a"), Some("b c"));
        assert_eq!(request.get("flag"), None);
        assert!(request.number("a").is_err());
        // What is no UTF-8 does no harm.
        assert_eq!(parameters("a=%ff%zz")[0].1, "\u{fffd}%zz");
    }
}
