//! Builds the crate again when a migration is added: the macro that embeds them tracks only those that it saw.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
