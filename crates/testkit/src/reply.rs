//! An answer, with the sentences a test says about it.

use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    pub headers: BTreeMap<String, String>,
    pub etag: Option<String>,
    pub retry_after: Option<String>,
    /// What was asked, for messages.
    pub asked: String,
}

impl Reply {
    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {:#}", self.asked, self.body);
        self.body
    }
    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200)
    }
    #[track_caller]
    pub fn created(self) -> Value {
        self.expect(201)
    }
    #[track_caller]
    pub fn accepted(self) -> Value {
        self.expect(202)
    }
    #[track_caller]
    pub fn done(self) {
        self.expect(204);
    }
    /// A refusal with this status and code; its document.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.code()), (status, code), "{}: {:#}", self.asked, self.body);
        self.body
    }
    #[track_caller]
    pub fn missing(self) -> Value {
        self.refused(404, "not-found")
    }
    pub fn code(&self) -> &str {
        self.body["type"].as_str().and_then(|t| t.rsplit('/').next()).unwrap_or_default()
    }
    /// Pointers of a validation problem, sorted.
    pub fn faults(&self) -> Vec<(String, String)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
        let all = self.body["errors"].as_array().into_iter().flatten();
        let mut all: Vec<_> = all.map(|f| (text(&f["pointer"]), text(&f["code"]))).collect();
        all.sort();
        all
    }
}
