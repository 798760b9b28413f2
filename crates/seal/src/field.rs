//! `Sealed<T>`: plaintext in answers, ciphertext in the table, an error everywhere else.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, cell::Cell, fmt};

/// A value that leaves the process only inside [`open`] (an answer to somebody who may see the record) or as
/// ciphertext. Serialising it anywhere else is an error, so a forgotten field cannot become plaintext.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sealed<T>(pub T);

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sealed]")
    }
}
impl<T> std::ops::Deref for Sealed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
impl<T> std::ops::DerefMut for Sealed<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
impl<T> From<T> for Sealed<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
impl From<&str> for Sealed<String> {
    fn from(value: &str) -> Self {
        Self(value.into())
    }
}

#[derive(Clone, Copy)]
enum View {
    Shut,
    Open,
    Table,
}
thread_local! { static VIEW: Cell<View> = const { Cell::new(View::Shut) } }

/// Synchronous and scoped: a view cannot cross an await, and it ends when `f` panics too.
fn within<R>(view: View, f: impl FnOnce() -> R) -> R {
    struct Restore(View);
    impl Drop for Restore {
        fn drop(&mut self) {
            VIEW.set(self.0)
        }
    }
    let _restore = Restore(VIEW.replace(view));
    f()
}

/// The only door to plaintext.
pub fn open<R>(f: impl FnOnce() -> R) -> R {
    within(View::Open, f)
}

/// Inside, a sealed value serialises as a map with the one key [`MARK`]; the store's walk over the item turns
/// each into ciphertext bound to its place.
pub fn table<R>(f: impl FnOnce() -> R) -> R {
    within(View::Table, f)
}

/// No field of ours can be called this.
pub const MARK: &str = "\u{0}sealed";

impl<T: Serialize> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match VIEW.get() {
            View::Open => self.0.serialize(s),
            View::Table => {
                use serde::ser::SerializeMap;
                let mut map = s.serialize_map(Some(1))?;
                map.serialize_entry(MARK, &self.0)?;
                map.end()
            }
            View::Shut => {
                Err(serde::ser::Error::custom("a sealed value may leave only in an answer or as ciphertext"))
            }
        }
    }
}
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::deserialize(d).map(Sealed)
    }
}
impl<T: schemars::JsonSchema> schemars::JsonSchema for Sealed<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Sealed_{}", T::schema_name()).into()
    }
    fn json_schema(g: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = T::json_schema(g);
        schema.insert("x-sealed".into(), true.into());
        schema
    }
    fn inline_schema() -> bool {
        true
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_of_a_field_that_it_is_sealed() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = generator.subschema_for::<Sealed<String>>();
        assert_eq!(schema.as_value(), &serde_json::json!({"type": "string", "x-sealed": true}));
        assert_eq!(<Sealed<String> as schemars::JsonSchema>::schema_name(), "Sealed_string");
        assert_eq!(Sealed::<String>::from("Ada").0, "Ada");
    }

    #[test]
    fn a_sealed_value_does_not_serialise_by_accident() {
        let name = Sealed("Ada".to_string());
        assert!(serde_json::to_string(&name).is_err());
        assert_eq!(open(|| serde_json::to_string(&name)).unwrap(), "\"Ada\"");
        assert!(serde_json::to_string(&name).is_err(), "the view ends with its scope");
        assert_eq!(format!("{name:?}"), "[sealed]");
    }

    #[test]
    fn the_view_ends_when_the_scope_panics() {
        let _ = std::panic::catch_unwind(|| open(|| panic!("within")));
        assert!(serde_json::to_string(&Sealed(1)).is_err());
    }
}
