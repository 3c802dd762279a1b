//! Objects are objects: a deserializer that takes no list for a struct.
//!
//! What serde derives for a struct reads a list too, its fields in the order of their declaration, so that
//! `["shops", null]` would pass for `{"name": "shops"}` and moving a field would change what a list means. Every JSON
//! that a request brings is read through [`Objects`], which refuses that at any depth; nothing is said per struct.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

/// Wraps a deserializer, its visitors, what these are lent, and so on down: all that differs is that a struct is read
/// from an object only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objects<T>(pub T);

/// A visitor of a struct, to whom no list may come.
struct ObjectOnly<V>(V);

/// Forwards methods that take a visitor, and perhaps arguments before it.
macro_rules! forward_deserialize {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($argument,)* Objects(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    forward_deserialize! {
        deserialize_any() deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char()
        deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf()
        deserialize_option() deserialize_unit() deserialize_seq() deserialize_map()
        deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0
            .deserialize_struct(name, fields, ObjectOnly(Objects(visitor)))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Forwards methods that take a plain value.
macro_rules! forward_visit {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    forward_visit! {
        visit_bool(bool)
        visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_f32(f32) visit_f64(f64) visit_char(char)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(fields))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Objects(variant))
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ObjectOnly<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<V::Value, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Seq, &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(fields)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Objects(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(Objects(seed))?;
        Ok((value, Objects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Objects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, ObjectOnly(Objects(visitor)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(default)]
    struct Point {
        x: u8,
        y: u8,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Named(Point);

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Shape {
        Nothing,
        Dot(Point),
        Line(u8, Point),
        Ring { middle: Point, radius: u8 },
    }

    /// Reads the same JSON as a text and as a value; the two have to agree.
    fn read<T: DeserializeOwned + PartialEq + fmt::Debug>(json: &Value) -> Result<T, String> {
        let text = json.to_string();
        let from_text = T::deserialize(Objects(&mut serde_json::Deserializer::from_str(&text)));
        let from_value = T::deserialize(Objects(json));
        assert_eq!(from_text.as_ref().ok(), from_value.as_ref().ok(), "{json}");
        from_value.map_err(|refused| refused.to_string())
    }

    #[test]
    fn a_list_is_no_struct_wherever_it_stands() {
        let list = json!([1, 2]);
        let is_refused = |read: Result<(), String>| {
            let refused = read.unwrap_err();
            assert!(refused.starts_with("invalid type: sequence"), "{refused}");
        };
        is_refused(read::<Point>(&list).map(drop));
        is_refused(read::<Option<Point>>(&list).map(drop));
        is_refused(read::<Named>(&list).map(drop));
        is_refused(read::<Vec<Point>>(&json!([{"x": 1}, [1, 2]])).map(drop));
        is_refused(read::<(u8, Point)>(&json!([1, [1, 2]])).map(drop));
        is_refused(read::<BTreeMap<String, Option<Point>>>(&json!({"a": [1, 2]})).map(drop));
        is_refused(read::<Shape>(&json!({"dot": [1, 2]})).map(drop));
        is_refused(read::<Shape>(&json!({"line": [1, [1, 2]]})).map(drop));
        is_refused(read::<Shape>(&json!({"ring": [{"x": 1}, 2]})).map(drop));
        is_refused(read::<Shape>(&json!({"ring": {"middle": [1, 2], "radius": 2}})).map(drop));
    }

    #[test]
    fn all_else_is_read_as_it_is() {
        let point = Point { x: 1, y: 2 };
        assert_eq!(read(&json!({"x": 1, "y": 2})), Ok(Some(Named(point))));
        assert_eq!(read(&Value::Null), Ok(None::<Point>));
        assert_eq!(read(&json!([1, 2])), Ok(vec![1, 2]));
        assert_eq!(read(&json!([1, "a"])), Ok((1, "a".to_owned())));
        assert_eq!(read(&json!("nothing")), Ok(Shape::Nothing));
        assert_eq!(
            read(&json!({"line": [3, {"x": 1}]})),
            Ok(Shape::Line(3, Point { x: 1, y: 0 }))
        );
        let middle = Point::default();
        assert_eq!(
            read(&json!({"ring": {"middle": {}, "radius": 2}})),
            Ok(Shape::Ring { middle, radius: 2 })
        );
        let free = json!({"a": [1, -2, 2.5, "b", true, null, {"c": []}]});
        assert_eq!(read(&free), Ok(free.clone()));
    }
}
