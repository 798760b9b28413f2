/// An enum of words: what the API shows, the table stores and the schema lists are one declaration.
///
/// ```
/// kernel::words! {
///     /// How urgent.
///     pub enum Urgency { Routine = "routine", Soon = "soon", Now = "now" }
/// }
/// assert_eq!(Urgency::Soon.to_string(), "soon");
/// assert_eq!("now".parse(), Ok(Urgency::Now));
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl ::std::str::FromStr for $name {
            type Err = ();
            fn from_str(s: &str) -> ::std::result::Result<Self, ()> {
                match s { $($word => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }
        impl $crate::__macro::serde::Serialize for $name {
            fn serialize<S: $crate::__macro::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
        impl<'de> $crate::__macro::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__macro::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                let s = <::std::borrow::Cow<'de, str> as $crate::__macro::serde::Deserialize>::deserialize(d)?;
                s.parse().map_err(|()| <D::Error as $crate::__macro::serde::de::Error>::unknown_variant(&s, &[$($word),+]))
            }
        }
        impl $crate::__macro::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut $crate::__macro::schemars::SchemaGenerator) -> $crate::__macro::schemars::Schema {
                $crate::__macro::schemars::json_schema!({"type": "string", "enum": [$($word),+]})
            }
            fn inline_schema() -> bool { true }
        }
    };
}
