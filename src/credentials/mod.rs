//! What proxies are told of who asks: sealed at rest, and nowhere else.
//!
//! The aggregate of a proxy knows whether there are credentials, and the log when they were changed. What they are is in
//! the table `proxy_credentials`: the name in the clear, since it is answered to its owner; the password under a key of
//! the operator's, which the database does not have. The invariants: a row is written and removed in the transaction of
//! the event that says so, so that neither is there without the other; a password leaves this folder for an engine that
//! connects, and for nothing else.

mod key;
mod person;
mod table;

pub use self::{
    key::{BadKey, Keys, NoKey, Sealed, Unopened},
    table::{Error, Kept, Login, kept, login_of, logins_of, put, remove},
};
