//! The keys that the credentials of proxies and the keys of personal data are sealed under.

use crate::{
    cli::{Error, kept},
    config::StoreArgs,
    credentials::Keys,
};

/// The file of the data directory that holds a key that was drawn.
const FILE: &str = "credentials.key";

/// Takes the keys that were named, or the one in the data directory. Where the program keeps a private server it is drawn
/// when it is first needed; nodes of a named database that have none keep no passwords, and say so when one is set.
pub(crate) fn keys(store: &StoreArgs) -> Result<Keys, Error> {
    let named: Vec<&str> = store
        .credentials_keys
        .iter()
        .map(|key| key.expose())
        .filter(|key| !key.trim().is_empty())
        .collect();
    if !named.is_empty() {
        return Keys::parse(named).map_err(|bad| Error::Usage(format!("--credentials-key: {bad}")));
    }
    let path = store.data_dir.join(FILE);
    if store.server().is_some() && !path.exists() {
        return Ok(Keys::default());
    }
    let cannot = |why: &dyn std::fmt::Display| {
        Error::Failed(format!(
            "cannot keep the key of credentials in {}: {why}",
            path.display()
        ))
    };
    let draw = || Keys::draw().as_bytes().to_vec().into();
    let kept = kept::read_or_draw(&store.data_dir, FILE, draw).map_err(|error| cannot(&error))?;
    let text = std::str::from_utf8(&kept).map_err(|error| cannot(&error))?;
    Keys::parse([text]).map_err(|bad| cannot(&bad))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use aggregates::ids::ProxyId;

    use super::*;
    use crate::config::SecretText;

    fn store(directory: &std::path::Path, url: Option<&str>) -> StoreArgs {
        StoreArgs {
            database_url: url.map(str::to_owned),
            data_dir: directory.to_owned(),
            credentials_keys: Vec::new(),
        }
    }

    #[test]
    fn a_key_is_drawn_once_beside_a_private_server_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let named = store(directory.path(), Some("postgres://db/domainflow"));
        assert!(!keys(&named).unwrap().can_seal(), "none is drawn");
        let private = store(directory.path(), None);
        let sealed = keys(&private)
            .unwrap()
            .seal(ProxyId::default(), "x")
            .unwrap();
        let file = directory.path().join(FILE);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for store in [&private, &named] {
            let again = keys(store).unwrap();
            assert!(again.open(ProxyId::default(), &sealed).is_ok());
        }
        std::fs::write(&file, "damaged").unwrap();
        assert!(keys(&private).is_err());
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_not_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let args = StoreArgs {
            credentials_keys: vec![SecretText::from("almost a key".to_owned())],
            ..store(directory.path(), None)
        };
        assert!(!format!("{args:?}").contains("almost"));
        let refused = keys(&args).unwrap_err();
        assert!(matches!(refused, Error::Usage(_)), "{refused}");
        assert!(!refused.to_string().contains("almost"), "{refused}");
    }
}
