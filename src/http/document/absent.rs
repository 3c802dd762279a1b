//! What may be absent is left out, never null: the derived schemas say of every `Option` that it may be null, and no
//! answer of ours is. Takes that word back, so that the document tells a client what it will see.

use utoipa::openapi::{
    Components, RefOr, Schema, Type,
    path::Operation,
    schema::{AdditionalProperties, ArrayItems, OneOf, SchemaType},
};

/// Says of no component that it may be null.
pub(super) fn without_nulls(components: &mut Components) {
    components.schemas.values_mut().for_each(strip);
}

/// Says of no parameter that it may be null.
pub(super) fn parameters_without_nulls(operation: &mut Operation) {
    let parameters = operation.parameters.iter_mut().flatten();
    parameters
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => parameter.schema.as_mut(),
            RefOr::Ref(_) => None,
        })
        .for_each(strip);
}

fn strip(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::OneOf(one_of)) = schema
        && let Some(only) = only_form(one_of)
    {
        *schema = only;
    }
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            not_null(&mut object.schema_type);
            object.properties.values_mut().for_each(strip);
            if let Some(AdditionalProperties::RefOr(values)) =
                object.additional_properties.as_deref_mut()
            {
                strip(values);
            }
        }
        Schema::Array(array) => {
            not_null(&mut array.schema_type);
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                strip(items);
            }
        }
        Schema::OneOf(one_of) => one_of.items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Returns what a choice between one thing and null is the choice of.
fn only_form(one_of: &mut OneOf) -> Option<RefOr<Schema>> {
    one_of.items.retain(|item| !is_null(item));
    if one_of.items.len() == 1 {
        one_of.items.pop()
    } else {
        None
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

fn not_null(schema_type: &mut SchemaType) {
    if let SchemaType::Array(types) = schema_type {
        types.retain(|one| *one != Type::Null);
        if let [only] = types.as_slice() {
            *schema_type = SchemaType::Type(only.clone());
        }
    }
}
