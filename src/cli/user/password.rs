//! `user password`, and how a password is told on the command line.

use std::io::Read as _;

use clap::Args;

use super::{Error, Node, change::WhoArgs, log_in, refused, say};

/// The longest password that is read from standard input, bytes.
const LONGEST: u64 = 1024;

/// The argument that is a password.
#[derive(Args, Clone)]
pub(super) struct PasswordArgs {
    /// The password; read from standard input where absent
    #[arg(
        long,
        env = "DOMAINFLOW_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true
    )]
    password: Option<String>,
}

impl std::fmt::Debug for PasswordArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordArgs(…)")
    }
}

impl PasswordArgs {
    /// Returns the password that was given, or a line of standard input.
    pub(super) fn read(&self) -> Result<String, Error> {
        if let Some(password) = &self.password {
            return Ok(password.clone());
        }
        let mut text = String::new();
        std::io::stdin()
            .take(LONGEST)
            .read_to_string(&mut text)
            .map_err(Error::step("read the password from standard input"))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(Error::Usage(
                "the password is missing: --password, or a line on standard input".to_owned(),
            ));
        }
        Ok(password.to_owned())
    }
}

/// The arguments of `user password`.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct SetArgs {
    #[command(flatten)]
    pub(super) who: WhoArgs,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

pub(super) async fn set(args: &SetArgs, password: &str, node: &Node) -> Result<(), Error> {
    let auth = log_in().await?;
    let user_id = auth
        .set_password(&node.app, &args.who.email, password)
        .await
        .map_err(refused("set the password"))?;
    say(format_args!(
        "user {user_id} has a new password, and no session any more"
    ))
}
