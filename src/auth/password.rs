//! Hashing and checking passwords, off the async threads and a bounded number at a time.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Error;

/// The shortest password, characters.
const MIN_CHARS: usize = 8;
/// The longest, bytes: bcrypt reads 72, of which one ends the password.
const MAX_BYTES: usize = 71;
/// The most that wait for a core: some eight seconds' work at the usual cost. Who comes later is told to come again.
const MAX_WAITING: usize = 64;

/// Hashes and checks passwords with bcrypt.
#[derive(Clone)]
pub(super) struct Passwords {
    cost: u32,
    /// What the password of an unknown user is compared with, so that it takes as long as a known user's.
    decoy: Arc<str>,
    /// One hash a core; more would only wait for each other, on threads that others need.
    cores: Arc<Semaphore>,
    /// Those who hash and those who wait.
    places: Arc<Semaphore>,
}

/// A core to hash on, until it is dropped.
pub(super) struct Slot<'a> {
    _core: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Passwords {
    pub(super) async fn new(cost: u32) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let unsalted: [u8; 16] = rand::random();
        let decoy =
            on_a_thread(move || bcrypt::non_truncating_hash(unsalted.map(|byte| byte | 1), cost))
                .await?;
        Ok(Self {
            cost,
            decoy: decoy.into(),
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores + MAX_WAITING)),
        })
    }

    /// Waits for a core to hash on, unless too many wait already.
    pub(super) async fn slot(&self) -> Result<Slot<'_>, Error> {
        let place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let core = self
            .cores
            .acquire()
            .await
            .map_err(|_| Error::ShuttingDown)?;
        Ok(Slot {
            _core: core,
            _place: place,
        })
    }

    /// Hashes a password that is fit to be one; the caller holds a slot.
    pub(super) async fn hash(&self, password: &str) -> Result<String, Error> {
        check(password)?;
        let (password, cost) = (password.to_owned(), self.cost);
        on_a_thread(move || bcrypt::non_truncating_hash(password, cost)).await
    }

    /// Compares a password with a hash, or, where there is none, with one that nothing matches, in the same time; the
    /// caller holds a slot.
    pub(super) async fn matches(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        // Too long to be anybody's password, and to be hashed: it takes its time all the same.
        let readable = password.len() <= MAX_BYTES && !password.contains('\0');
        let password = if readable {
            password.to_owned()
        } else {
            String::new()
        };
        let equal = on_a_thread(move || bcrypt::verify(password, &hash)).await?;
        Ok(equal && known && readable)
    }
}

/// Refuses what is too short to protect anything, or more than bcrypt takes in.
pub(super) fn check(password: &str) -> Result<(), Error> {
    if password.chars().count() < MIN_CHARS {
        return Err(Error::UnusablePassword("must have at least 8 characters"));
    }
    if password.len() > MAX_BYTES {
        return Err(Error::UnusablePassword("must have at most 71 bytes"));
    }
    if password.contains('\0') {
        return Err(Error::UnusablePassword("must not contain a NUL character"));
    }
    Ok(())
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::ShuttingDown)?
        .map_err(Error::Password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_nothing_else() {
        let passwords = Passwords::new(4).await.unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(
            passwords
                .matches("correct horse", Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .matches("Correct horse", Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.matches("correct horse", None).await.unwrap());
        // bcrypt would ignore the end of a longer one.
        let long = "x".repeat(72);
        assert!(matches!(
            passwords.hash(&long).await,
            Err(Error::UnusablePassword(_))
        ));
        let most = passwords.hash(&long[..71]).await.unwrap();
        assert!(
            passwords
                .matches(&long[..71], Some(most.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.matches(&long, Some(most)).await.unwrap());
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_told_so_at_once() {
        let passwords = Passwords::new(4).await.unwrap();
        let cores = std::thread::available_parallelism().unwrap().get();
        let held: Vec<_> = futures::future::join_all((0..cores).map(|_| passwords.slot())).await;
        let mut waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Box::pin(passwords.slot()))
            .collect();
        for slot in &mut waiting {
            assert!(futures::poll!(slot.as_mut()).is_pending());
        }
        assert!(matches!(passwords.slot().await, Err(Error::Busy)));
        drop((waiting, held));
        passwords.slot().await.unwrap();
    }

    #[test]
    fn short_passwords_are_refused() {
        assert!(check("1234567").is_err());
        assert!(check("12345678").is_ok());
        assert!(check("12345678\0").is_err());
    }
}
