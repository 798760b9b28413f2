//! The Cognito authorizer: an access token's signature, issuer, age, use and scope.

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL};
use jiff::{Timestamp, fmt::strtime};
use kernel::Clock;
use serde_json::{Map, Value};
use std::{collections::HashMap, sync::RwLock};

/// The claims as the function sees them: API Gateway hands on strings only.
pub type Claims = Map<String, Value>;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refused {
    /// No token, not one of ours, tampered with, of another use, or without the method's scope.
    Unauthorized,
    Expired,
}

/// A key of the pool: modulus and exponent, big-endian.
type Key = (Vec<u8>, Vec<u8>);

/// Trusts the tokens of one user pool.
pub struct Authorizer {
    issuer: String,
    keys: RwLock<HashMap<String, Key>>,
    clock: Clock,
}

impl Authorizer {
    pub fn new(issuer: impl Into<String>, clock: Clock) -> Authorizer {
        Authorizer { issuer: issuer.into(), keys: RwLock::default(), clock }
    }

    /// Takes over the pool's published keys (a JWKS document).
    pub fn trust(&self, jwks: &Value) {
        let field = |key: &Value, name: &str| decode(key[name].as_str()?);
        let key = |key: &Value| {
            (key["kty"] == "RSA").then_some(())?;
            Some((key["kid"].as_str()?.to_string(), (field(key, "n")?, field(key, "e")?)))
        };
        let found = jwks["keys"].as_array().into_iter().flatten().filter_map(key).collect();
        *self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = found;
    }

    /// Checks the `Authorization` header (with or without `Bearer`) for a method that names `scopes`.
    pub fn check(&self, header: Option<&str>, scopes: &[String]) -> Result<Claims, Refused> {
        let header = header.ok_or(Refused::Unauthorized)?.trim();
        let token = header.strip_prefix("Bearer ").unwrap_or(header).trim();
        let claims = self.verified(token).ok_or(Refused::Unauthorized)?;
        let expires = claims.get("exp").and_then(Value::as_i64).ok_or(Refused::Unauthorized)?;
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refused::Unauthorized);
        }
        if self.clock.now().as_second() >= expires {
            return Err(Refused::Expired);
        }
        let held = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
        let allowed = scopes.is_empty() || held.split(' ').any(|one| scopes.iter().any(|s| s == one));
        if !allowed || claims.get("token_use").and_then(Value::as_str) != Some("access") {
            return Err(Refused::Unauthorized);
        }
        Ok(claims.into_iter().map(|(name, value)| (name.clone(), flat(&name, value))).collect())
    }

    /// The claims of a token that one of the pool's keys has signed.
    fn verified(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, body) = signed.split_once('.')?;
        let head: Value = serde_json::from_slice(&BASE64_URL.decode(head).ok()?).ok()?;
        if head["alg"] != "RS256" {
            return None;
        }
        let keys = self.keys.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (n, e) = keys.get(head["kid"].as_str()?)?;
        let key = aws_lc_rs::signature::RsaPublicKeyComponents { n, e };
        let signature = BASE64_URL.decode(signature).ok()?;
        let rule = &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
        key.verify(rule, signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&BASE64_URL.decode(body).ok()?).ok()
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL.decode(text).or_else(|_| BASE64_STANDARD.decode(text)).ok()
}

/// As the REST authorizer flattens them: `exp` and `iat` become dates in words, lists `[a b]`.
fn flat(name: &str, value: Value) -> Value {
    let text = match (name, value) {
        ("exp" | "iat", Value::Number(n)) => {
            let at = Timestamp::from_second(n.as_i64().unwrap_or_default()).unwrap_or_default();
            strtime::format("%a %b %d %H:%M:%S UTC %Y", at).unwrap_or_default()
        }
        (_, Value::String(text)) => text,
        (_, Value::Array(list)) => {
            let words: Vec<String> = list.iter().map(crate::template::document::plain).collect();
            format!("[{}]", words.join(" "))
        }
        (_, other) => other.to_string(),
    };
    Value::String(text)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::{KeyPair, KeySize, PublicKeyComponents},
        signature::{KeyPair as _, RSA_PKCS1_SHA256},
    };
    use jiff::SignedDuration;
    use serde_json::json;

    const ISSUER: &str = "https://cognito-idp.af-south-1.amazonaws.com/af-south-1_x";

    /// A pool of one key that signs what a test asks for.
    pub struct Pool(KeyPair);

    impl Pool {
        pub fn of_one_key() -> Pool {
            Pool(KeyPair::generate(KeySize::Rsa2048).unwrap())
        }

        pub fn jwks(&self) -> Value {
            let parts = PublicKeyComponents::<Vec<u8>>::from(self.0.public_key());
            json!({"keys": [{"kty": "RSA", "kid": "one", "n": BASE64_URL.encode(parts.n), "e": BASE64_URL.encode(parts.e)}]})
        }

        pub fn sign(&self, alg: &str, claims: &Value) -> String {
            let part = |v: &Value| BASE64_URL.encode(v.to_string());
            let signed = format!("{}.{}", part(&json!({"alg": alg, "kid": "one"})), part(claims));
            let mut signature = vec![0; self.0.public_modulus_len()];
            self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
            format!("{signed}.{}", BASE64_URL.encode(signature))
        }
    }

    fn claims(clock: &Clock) -> Value {
        let now = clock.now().as_second();
        json!({
            "iss": ISSUER, "token_use": "access", "scope": "api/use", "exp": now + 600, "iat": now,
            "tenant": "01J", "gen": 3, "cognito:groups": ["a", "b"],
        })
    }

    fn with(mut claims: Value, name: &str, value: Value) -> Value {
        claims[name] = value;
        claims
    }

    struct Door {
        pool: Pool,
        clock: Clock,
        authorizer: Authorizer,
    }

    impl Door {
        fn new() -> Door {
            let (pool, clock) = (Pool::of_one_key(), Clock::default());
            let authorizer = Authorizer::new(ISSUER, clock.clone());
            authorizer.trust(&pool.jwks());
            Door { pool, clock, authorizer }
        }

        fn try_claims(&self, claims: &Value) -> Result<Claims, Refused> {
            self.authorizer.check(Some(&self.pool.sign("RS256", claims)), &["api/use".into()])
        }
    }

    #[test]
    fn a_good_token_passes_and_its_claims_are_strings() {
        let door = Door::new();
        let token = format!("Bearer {}", door.pool.sign("RS256", &claims(&door.clock)));
        let seen = door.authorizer.check(Some(&token), &["api/use".into()]).unwrap();
        assert_eq!((&seen["gen"], &seen["cognito:groups"]), (&json!("3"), &json!("[a b]")));
        assert!(seen["exp"].as_str().unwrap().contains(" UTC 20"), "{}", seen["exp"]);
    }

    #[test]
    fn an_expired_token_is_named_as_such() {
        let door = Door::new();
        let fresh = claims(&door.clock);
        door.clock.advance(SignedDuration::from_secs(599));
        assert!(door.try_claims(&fresh).is_ok());
        door.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(door.try_claims(&fresh), Err(Refused::Expired));
    }

    #[test]
    fn another_pool_another_scope_and_an_id_token_are_refused() {
        let door = Door::new();
        for (name, value) in [
            ("iss", json!("https://elsewhere")),
            ("scope", json!("api/partner api/user")),
            ("token_use", json!("id")),
        ] {
            let wrong = with(claims(&door.clock), name, value);
            assert_eq!(door.try_claims(&wrong), Err(Refused::Unauthorized), "{name}");
        }
    }

    #[test]
    fn a_token_that_was_touched_is_refused() {
        let door = Door::new();
        let good = door.pool.sign("RS256", &claims(&door.clock));
        let other = door.pool.sign("RS256", &with(claims(&door.clock), "tenant", json!("01K")));
        let parts = |t: &str| t.split('.').map(str::to_string).collect::<Vec<_>>();
        let (a, b) = (parts(&good), parts(&other));
        let swapped = format!("{}.{}.{}", a[0], b[1], a[2]);
        let unsigned = format!("{}.{}.", BASE64_URL.encode(r#"{"alg":"none","kid":"one"}"#), a[1]);
        let weak = door.pool.sign("HS256", &claims(&door.clock));
        let stranger = Pool::of_one_key().sign("RS256", &claims(&door.clock));
        for bad in [swapped, unsigned, weak, stranger, "x".into(), String::new(), format!("{good}x")] {
            assert_eq!(
                door.authorizer.check(Some(&bad), &["api/use".into()]),
                Err(Refused::Unauthorized),
                "{bad}"
            );
        }
        assert_eq!(door.authorizer.check(None, &["api/use".into()]), Err(Refused::Unauthorized));
    }
}
