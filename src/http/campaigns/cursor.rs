//! Opaque cursors of domain lists: where a row stands under the sort that it was listed by.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use projections::domains::{Direction, Listed, Sort};
use serde::{Deserialize, Serialize};

use crate::http::Error;

/// What stands in a cursor. The sort value goes as its bits, so that it compares equal to what the database has.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    sort: Option<(String, bool)>,
    value: Option<u64>,
    ordinal: i64,
}

/// The names of sorts in cursors and, but for that of the order of generation, on the wire.
pub(super) const fn sort_name(sort: Sort) -> &'static str {
    match sort {
        Sort::Ordinal => "ordinal",
        Sort::Richness => "richness_score",
        Sort::Gain => "microcrawl_gain",
        Sort::KeywordsUnique => "keywords_unique",
    }
}

fn spelled(sort: Option<(Sort, Direction)>) -> Option<(String, bool)> {
    sort.map(|(sort, direction)| {
        (
            sort_name(sort).to_owned(),
            direction == Direction::Ascending,
        )
    })
}

/// Makes the cursor of a row.
pub(in crate::http) fn of(row: &Listed, sort: Option<(Sort, Direction)>) -> String {
    let place = Place {
        sort: spelled(sort),
        value: sort
            .and_then(|(sort, _)| row.sort_value(sort))
            .map(f64::to_bits),
        ordinal: row.ordinal,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).unwrap_or_default())
}

/// Reads a cursor that was made under the same sort.
pub(in crate::http) fn read(
    text: &str,
    sort: Option<(Sort, Direction)>,
) -> Result<(Option<f64>, i64), Error> {
    let refused = |message| Error::bad("after", message);
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| refused("is no cursor of this list"))?;
    let place: Place =
        serde_json::from_slice(&bytes).map_err(|_| refused("is no cursor of this list"))?;
    if place.sort != spelled(sort) {
        return Err(refused("belongs to a list that is sorted in another way"));
    }
    Ok((place.value.map(f64::from_bits), place.ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_exactly_and_only_under_its_own_sort() {
        let sort = Some((Sort::Richness, Direction::Descending));
        let place = Place {
            sort: spelled(sort),
            value: Some(0.1_f64.to_bits()),
            ordinal: 7,
        };
        let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).unwrap());
        assert_eq!(read(&text, sort).unwrap(), (Some(0.1), 7));
        assert!(read(&text, None).is_err());
        assert!(read(&text, Some((Sort::Richness, Direction::Ascending))).is_err());
        assert!(read("%%%", sort).is_err());
        assert!(read("e30", sort).is_err());
    }
}
