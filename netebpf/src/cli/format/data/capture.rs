//! What values of Rust look like to a format: reads them through serde, which tells structs from maps.

use std::collections::BTreeMap;

use serde::{Serialize, ser};
use serde_json::Error;

use super::{Data, Record};

/// Takes a value apart.
///
/// Fields that are skipped remain known; errors are those of the value's own `Serialize`.
pub(in crate::cli) fn capture(value: &(impl Serialize + ?Sized)) -> Result<Data, Error> {
    value.serialize(Capture)
}

struct Capture;

/// A composite under construction, wrapped in a map when it is an enum's variant.
#[derive(Default)]
struct Parts {
    variant: Option<&'static str>,
    type_name: &'static str,
    items: Vec<Data>,
    fields: Vec<(&'static str, Data)>,
    entries: BTreeMap<String, Data>,
    key: String,
}

impl Parts {
    fn new(type_name: &'static str, variant: Option<&'static str>) -> Self {
        Self { variant, type_name, ..Self::default() }
    }

    fn wrap(variant: Option<&'static str>, data: Data) -> Data {
        variant.map_or(data.clone(), |name| Data::Map(BTreeMap::from([(name.to_owned(), data)])))
    }

    fn into_list(self) -> Data {
        Self::wrap(self.variant, Data::List(self.items))
    }

    fn into_record(self) -> Data {
        let Self { variant, type_name, fields, .. } = self;
        Self::wrap(variant, Data::Record(Record { type_name, fields, label: None }))
    }
}

macro_rules! captured {
    ($($method:ident($type:ty) => $make:expr;)*) => {
        $(fn $method(self, value: $type) -> Result<Data, Error> {
            let make: fn($type) -> Data = $make;
            Ok(make(value))
        })*
    };
}

impl ser::Serializer for Capture {
    type Ok = Data;
    type Error = Error;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    captured! {
        serialize_bool(bool) => Data::Bool;
        serialize_i8(i8) => |value| Data::Integer(value.into());
        serialize_i16(i16) => |value| Data::Integer(value.into());
        serialize_i32(i32) => |value| Data::Integer(value.into());
        serialize_i64(i64) => |value| Data::Integer(value.into());
        serialize_u8(u8) => |value| Data::Integer(value.into());
        serialize_u16(u16) => |value| Data::Integer(value.into());
        serialize_u32(u32) => |value| Data::Integer(value.into());
        serialize_u64(u64) => |value| Data::Integer(value.into());
        serialize_f32(f32) => |value| Data::Float(value.into());
        serialize_f64(f64) => Data::Float;
        serialize_char(char) => |value| Data::Text(value.to_string());
        serialize_str(&str) => |value| Data::Text(value.to_owned());
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Data, Error> {
        Ok(Data::List(bytes.iter().map(|byte| Data::Integer((*byte).into())).collect()))
    }

    fn serialize_none(self) -> Result<Data, Error> {
        Ok(Data::Nil)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Data, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Data, Error> {
        Ok(Data::Missing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Data, Error> {
        Ok(Data::Missing)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Data, Error> {
        Ok(Data::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Data, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Data, Error> {
        Ok(Parts::wrap(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Error> {
        Ok(Parts::new("", None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts, Error> {
        Ok(Parts::new("", None))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Parts, Error> {
        Ok(Parts::new(name, None))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts, Error> {
        Ok(Parts::new(name, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Error> {
        Ok(Parts::new("", None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts, Error> {
        Ok(Parts::new(name, None))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts, Error> {
        Ok(Parts::new(name, Some(variant)))
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident),*) => {
        $(impl ser::$trait for Parts {
            type Ok = Data;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.items.push(capture(value)?);
                Ok(())
            }

            fn end(self) -> Result<Data, Error> {
                Ok(self.into_list())
            }
        })*
    };
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! records {
    ($($trait:ident),*) => {
        $(impl ser::$trait for Parts {
            type Ok = Data;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.fields.push((name, capture(value)?));
                Ok(())
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), Error> {
                self.fields.push((name, Data::Absent));
                Ok(())
            }

            fn end(self) -> Result<Data, Error> {
                Ok(self.into_record())
            }
        })*
    };
}

records!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Parts {
    type Ok = Data;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = capture(key)?.to_string();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        self.entries.insert(key, capture(value)?);
        Ok(())
    }

    fn end(self) -> Result<Data, Error> {
        Ok(Data::Map(self.entries))
    }
}
