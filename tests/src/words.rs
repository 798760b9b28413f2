//! Words that must not be found in bytes.

pub struct Words(Vec<String>);

impl Words {
    pub fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|w| w.to_lowercase()).collect())
    }
    /// The first that stands in there, in whatever case.
    pub fn found(&self, bytes: &[u8]) -> Option<&str> {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        self.0.iter().find(|w| text.contains(w.as_str())).map(String::as_str)
    }
}
