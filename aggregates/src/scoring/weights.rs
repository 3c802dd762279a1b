//! How much each component counts.

use std::collections::BTreeMap;

use super::{Component, Error};

/// The weights of the components: none negative, together 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights(BTreeMap<Component, f64>);

impl Weights {
    /// Checks the weights of a profile and normalises them to sum 1; a component that is not named counts nothing.
    ///
    /// # Errors
    /// Names a weight that belongs to no component or is negative or not finite; refuses weights that sum to 0.
    pub fn parse(given: &BTreeMap<String, f64>) -> Result<Self, Error> {
        let mut weights = BTreeMap::new();
        for (name, &weight) in given {
            let component =
                Component::named(name).ok_or_else(|| Error::UnknownWeight(name.clone()))?;
            if !weight.is_finite() || weight < 0.0 {
                return Err(Error::NotAWeight(name.clone()));
            }
            weights.insert(component, weight);
        }
        // Dividing by the greatest first keeps the sum finite, whatever the scale of the profile.
        let greatest = weights.values().copied().fold(0.0, f64::max);
        if greatest <= 0.0 {
            return Err(Error::NoWeight);
        }
        let sum: f64 = weights.values().map(|weight| weight / greatest).sum();
        for weight in weights.values_mut() {
            *weight = *weight / greatest / sum;
        }
        Ok(Self(weights))
    }

    /// Returns how much a component counts, 0 to 1.
    #[must_use]
    pub fn get(&self, component: Component) -> f64 {
        self.0.get(&component).copied().unwrap_or_default()
    }

    /// Returns the normalised weights by name, every component included.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, f64> {
        Component::ALL
            .into_iter()
            .map(|component| (component.name().to_owned(), self.get(component)))
            .collect()
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self(
            Component::ALL
                .into_iter()
                .map(|component| (component, component.default_weight()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &[(&str, f64)]) -> Result<Weights, Error> {
        Weights::parse(
            &given
                .iter()
                .map(|&(name, weight)| (name.to_owned(), weight))
                .collect(),
        )
    }

    #[test]
    fn weights_are_normalised_to_sum_one() {
        let weights = parse(&[("keyword_density", 3.0), ("freshness", 1.0)]).unwrap();
        assert!((weights.get(Component::KeywordDensity) - 0.75).abs() < 1e-12);
        assert!((weights.get(Component::Freshness) - 0.25).abs() < 1e-12);
        assert!(weights.get(Component::TfLite).abs() < 1e-12);
        let huge = parse(&[("keyword_density", f64::MAX), ("freshness", f64::MAX)]).unwrap();
        assert!((huge.get(Component::Freshness) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_default_weights_sum_to_one_already() {
        let default = Weights::default();
        assert!((default.to_map().values().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(
            Weights::parse(&default.to_map()).map(|weights| weights.to_map().len()),
            Ok(7)
        );
    }

    #[test]
    fn a_weight_that_means_nothing_is_refused_by_name() {
        let unknown = parse(&[("keyword_densitty", 1.0)]).unwrap_err();
        assert_eq!(unknown.field(), "weights.keyword_densitty");
        for bad in [-0.1, f64::NAN, f64::INFINITY] {
            let error = parse(&[("freshness", bad)]).unwrap_err();
            assert_eq!(error, Error::NotAWeight("freshness".to_owned()));
        }
        assert_eq!(parse(&[]), Err(Error::NoWeight));
        assert_eq!(parse(&[("freshness", 0.0)]), Err(Error::NoWeight));
    }
}
