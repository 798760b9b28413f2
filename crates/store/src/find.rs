//! Finding over sealed values: exact ones by blind index, words by the blind indexes of their first letters.

use crate::{
    Entity, Record, Store, Token,
    error::refused,
    item::{Item, s, text},
    key::base32,
    schema::{PK, SK},
};
use kernel::{Id, Result};
use std::collections::BTreeMap;

/// Letters of a word that have an index; the rest is compared after unsealing.
const LONGEST: usize = 10;
/// Letters a search needs.
pub const SHORTEST: usize = 3;

/// The first letters of a word, normalised by the noun.
pub struct Prefix<'a>(pub &'a str);

impl Store {
    /// What finds a record, by place: nothing while it is deleted.
    pub(crate) fn tokens<E: Entity>(&self, record: &Record<E>) -> BTreeMap<(String, String), Item> {
        let tokens = if record.deleted_at.is_some() { vec![] } else { record.body.tokens() };
        let placed =
            |token: &Token| (self.token_key::<E>(token, record.id), self.token_item::<E>(token, record.id));
        tokens.iter().map(placed).collect()
    }

    /// Where a token of a record lies.
    pub(crate) fn token_key<E: Entity>(&self, token: &Token, id: E::Id) -> (String, String) {
        let kind = E::Id::KIND;
        match token {
            Token::Exact(field, value) => (self.exact::<E>(field, value), id.to_string()),
            Token::Word(word) => {
                let letters = padded(word);
                let pk = format!("{}#find#{kind}#{}", self.scope, self.prefix::<E>(&letters, SHORTEST));
                let mut sk: String = (SHORTEST + 1..=letters.len().min(LONGEST))
                    .map(|n| self.prefix::<E>(&letters, n))
                    .collect();
                sk.push_str(&format!("#{id}"));
                (pk, sk)
            }
        }
    }

    fn exact<E: Entity>(&self, field: &str, value: &str) -> String {
        let kind = E::Id::KIND;
        format!("{}#find#{kind}={field}.{}", self.scope, self.blind(&format!("{kind}.{field}"), value))
    }

    fn prefix<E: Entity>(&self, letters: &[char], n: usize) -> String {
        let start: String = letters[..n].iter().collect();
        base32(&self.ring.blind(&format!("{}.word{n}", E::Id::KIND), &start)[..5])
    }

    /// Ids of the records that carry exactly this value, at most `limit`.
    pub async fn find_exact<E: Entity>(&self, field: &str, value: &str, limit: i32) -> Result<Vec<E::Id>> {
        self.found::<E>(self.exact::<E>(field, value), None, limit).await
    }

    /// Ids of the records with a word that begins so, at most `limit`. Needs three letters (shorter words are
    /// found when given whole). Letters beyond the tenth are the caller's to compare.
    pub async fn find_word<E: Entity>(&self, Prefix(word): Prefix<'_>, limit: i32) -> Result<Vec<E::Id>> {
        let letters = padded(word);
        let pk = format!("{}#find#{}#{}", self.scope, E::Id::KIND, self.prefix::<E>(&letters, SHORTEST));
        let sk: String =
            (SHORTEST + 1..=letters.len().min(LONGEST)).map(|n| self.prefix::<E>(&letters, n)).collect();
        self.found::<E>(pk, Some(sk).filter(|sk| !sk.is_empty()), limit).await
    }

    async fn found<E: Entity>(&self, pk: String, begins: Option<String>, limit: i32) -> Result<Vec<E::Id>> {
        let query =
            self.sdk.query().table_name(&*self.table).expression_attribute_values(":p", s(pk)).limit(limit);
        let query = match begins {
            None => query.key_condition_expression("pk = :p"),
            Some(prefix) => query
                .key_condition_expression("pk = :p AND begins_with(sk, :s)")
                .expression_attribute_values(":s", s(prefix)),
        };
        let out = query.send().await.map_err(|e| refused("find", &e))?;
        out.items.unwrap_or_default().iter().map(found_id::<E>).collect()
    }

    pub(crate) fn token_item<E: Entity>(&self, token: &Token, id: E::Id) -> Item {
        let (pk, sk) = self.token_key::<E>(token, id);
        Item::from([(PK.into(), s(pk)), (SK.into(), s(sk))])
    }
}

fn found_id<E: Entity>(item: &Item) -> Result<E::Id> {
    if let Ok(owner) = text(item, "owner") {
        return owner.parse();
    }
    let sk = text(item, SK)?;
    sk.rsplit('#').next().unwrap_or(sk).parse()
}

/// Shorter words are filled up, so that they have a partition too and match only when given whole.
fn padded(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    while letters.len() < SHORTEST {
        letters.push('$');
    }
    letters
}
