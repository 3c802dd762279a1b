//! The keys of persons, kept under the operator's.

use event_store::personal::{KeyBytes, Unopened, Wrap, Wrapped};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Keys, key};

/// What stands before a person's id, so that no key of a person opens as a password of a proxy with the same id.
const PERSON: &[u8] = b"person";

impl Wrap for Keys {
    fn wrap(&self, person: Uuid, key: &KeyBytes) -> Option<Wrapped> {
        let (key_id, nonce, key) = self.seal_bytes(&whose(person), key.as_slice()).ok()?;
        Some(Wrapped { key_id, nonce, key })
    }

    fn unwrap(&self, person: Uuid, wrapped: &Wrapped) -> Result<KeyBytes, Unopened> {
        let Wrapped { key_id, nonce, key } = wrapped;
        let opened = self.open_bytes(&whose(person), key_id, nonce, key);
        let opened = opened.map_err(|unopened| match unopened {
            key::Unopened::OtherKey(key_id) => Unopened::OtherKey(key_id),
            key::Unopened::Damaged => Unopened::Damaged,
        })?;
        let bytes = opened.as_slice().try_into();
        bytes.map(Zeroizing::new).map_err(|_| Unopened::Damaged)
    }
}

fn whose(person: Uuid) -> Vec<u8> {
    [PERSON, person.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_key_opens_for_him_and_under_the_same_key_of_the_operators_alone() {
        let keys = || Keys::parse([Keys::draw().as_str()]).unwrap();
        let (ann, operator) = (Uuid::from_u128(1), keys());
        let key = Zeroizing::new([7; 32]);
        let wrapped = operator.wrap(ann, &key).unwrap();
        assert_eq!(operator.unwrap(ann, &wrapped).unwrap(), key);
        let moved = operator.unwrap(Uuid::from_u128(2), &wrapped);
        assert_eq!(moved, Err(Unopened::Damaged));
        let other = keys().unwrap(ann, &wrapped);
        assert_eq!(other, Err(Unopened::OtherKey(wrapped.key_id)));
        assert!(Keys::default().wrap(ann, &key).is_none());
    }
}
