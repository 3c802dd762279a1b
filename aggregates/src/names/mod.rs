//! Names: what a pattern enumerates, what a legal domain name is, and which names a text file holds.
//!
//! Called by the pattern and campaign aggregates (reserve offsets, check a configuration), by the coordinator and the
//! domains projection (compute the names of an offset range), and by the API (previews, uploads).
//!
//! The invariant: an offset of a [`Pattern`] is one name for ever. The log keeps offset ranges, not names, so whatever
//! changes the order or the set of names raises [`GENERATOR_VERSION`], which every pattern hash covers.

mod domain_name;
mod emptiness;
mod error;
mod generator;
mod hash;
mod import;
mod inverse;
mod label;
mod pattern;
mod preview;
#[cfg(test)]
mod properties;

pub use domain_name::DomainName;
pub(crate) use domain_name::{ends_in_a_number, labels_to_wire};
pub use error::{Error, Illegal};
pub use generator::{Names, Step};
pub use import::{Importer, Line, MAX_IMPORT_BYTES, MAX_IMPORT_LINES, TooManyLines, host_of_line};
pub use pattern::{Kind, MAX_DICTIONARY_WORDS, MAX_TLDS, MAX_VARIABLE_LENGTH, Pattern, Spec};
pub use preview::Preview;

/// The version of the map from offset to name; part of every pattern hash and of every `DomainsGenerated`.
pub const GENERATOR_VERSION: u32 = 1;
