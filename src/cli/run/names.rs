//! Which names a campaign is about: a pattern, or a list.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use aggregates::names::{self, Importer, Kind, Line, MAX_IMPORT_BYTES, Pattern, Spec};
use clap::{ArgGroup, Args};
use sha2::{Digest as _, Sha256};

use super::{Error, plan::Names};
use crate::http::campaigns::settings::MOST_NAMES;

/// Refused lines that are shown one by one.
const SHOWN: u64 = 5;

/// Which names.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("names").required(true))]
pub(super) struct NameArgs {
    /// Where the variable part of generated names stands: prefix, suffix or both
    #[arg(long, group = "names", value_name = "KIND", value_parser = kind)]
    pattern: Option<Kind>,
    /// A file of names, one a line, in place of a pattern
    #[arg(long, group = "names", value_name = "FILE", conflicts_with_all = ["constant", "length", "prefix_length", "suffix_length", "charset", "tlds", "limit"])]
    domains: Option<PathBuf>,
    /// The part that every name shares
    #[arg(long, value_name = "TEXT", default_value = "")]
    constant: String,
    /// Characters of the variable part, for the patterns prefix and suffix
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["prefix_length", "suffix_length"])]
    length: Option<u32>,
    /// Characters before the constant, for the pattern both
    #[arg(long, value_name = "NUMBER")]
    prefix_length: Option<u32>,
    /// Characters after the constant, for the pattern both
    #[arg(long, value_name = "NUMBER")]
    suffix_length: Option<u32>,
    /// The characters of the variable part, in their order
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "abcdefghijklmnopqrstuvwxyz"
    )]
    charset: String,
    /// A top-level domain; may be repeated
    #[arg(long = "tld", value_name = "TLD", value_delimiter = ',')]
    tlds: Vec<String>,
    /// Take so many names of the pattern; all that are left where absent
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=MOST_NAMES))]
    limit: Option<u64>,
}

impl NameArgs {
    /// Checks the pattern, or reads the list.
    pub(super) fn names(&self) -> Result<Names, Error> {
        match (&self.domains, self.pattern) {
            (Some(path), _) => read(path),
            (None, Some(kind)) => self.generated(kind),
            (None, None) => Err(Error::Usage("--pattern or --domains is missing".to_owned())),
        }
    }

    fn generated(&self, kind: Kind) -> Result<Names, Error> {
        let pattern = self.pattern(kind)?;
        let total = pattern.total();
        if self.limit.is_none() && total > u128::from(MOST_NAMES) {
            return Err(Error::Usage(format!(
                "--limit: the pattern has {total} names: say how many of them, {MOST_NAMES} at most"
            )));
        }
        Ok(Names::Generated {
            pattern,
            count: self.limit,
        })
    }

    fn pattern(&self, kind: Kind) -> Result<Pattern, Error> {
        self.check_lengths(kind)?;
        if self.tlds.is_empty() {
            return Err(Error::Usage("--tld is missing".to_owned()));
        }
        Pattern::parse(Spec {
            kind,
            constant: self.constant.clone(),
            prefix_length: self.prefix_length.unwrap_or_default(),
            suffix_length: self.suffix_length.unwrap_or_default(),
            variable_length: self.length,
            charset: self.charset.clone(),
            tlds: self.tlds.clone(),
            dictionary: None,
        })
        .map_err(|error| Error::Usage(format!("{}: {}", self.argument_of(&error), error.reason())))
    }

    /// Refuses lengths that are for the other patterns.
    fn check_lengths(&self, kind: Kind) -> Result<(), Error> {
        let (given, wanted) = match kind {
            Kind::Both if self.length.is_some() => {
                ("--length", "--prefix-length and --suffix-length")
            }
            Kind::Both => return Ok(()),
            _ if self.prefix_length.is_some() => ("--prefix-length", "--length"),
            _ if self.suffix_length.is_some() => ("--suffix-length", "--length"),
            _ => return Ok(()),
        };
        Err(Error::Usage(format!(
            "{given} is not for this pattern, which takes {wanted}"
        )))
    }

    /// Names the argument that a field of a pattern came from.
    fn argument_of(&self, error: &names::Error) -> String {
        match error.field().split('[').next().unwrap_or_default() {
            "kind" => "--pattern".to_owned(),
            "tlds" => "--tld".to_owned(),
            "variable_length" | "prefix_length" | "suffix_length" if self.length.is_some() => {
                "--length".to_owned()
            }
            field => format!("--{}", field.replace('_', "-")),
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    text.parse()
        .map_err(|_| "it is none of prefix, suffix, both".to_owned())
}

/// Reads a list; lines that hold no name, or one that was there already, are told of and left out.
fn read(path: &Path) -> Result<Names, Error> {
    let refused =
        |message: String| Error::Usage(format!("--domains {}: {message}", path.display()));
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    // One byte more, to see whether there is one.
    let mut file = BufReader::new(file.take(MAX_IMPORT_BYTES + 1));
    let (mut importer, mut digest) = (Importer::new(), Sha256::new());
    let (mut line, mut names, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bytes, mut rejected, mut repeated) = (0_u64, 0_u64, 0_u64);
    loop {
        line.clear();
        let read = file
            .read_until(b'\n', &mut line)
            .map_err(|error| refused(error.to_string()))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > MAX_IMPORT_BYTES {
            return Err(refused(format!("larger than {MAX_IMPORT_BYTES} bytes")));
        }
        digest.update(&line);
        match importer
            .line(&line)
            .map_err(|error| refused(error.to_string()))?
        {
            Line::Accepted(name) => {
                names.push(name.to_string());
                lines.push(importer.lines());
            }
            Line::Rejected {
                number,
                text,
                reason,
            } => {
                rejected += 1;
                if rejected <= SHOWN {
                    eprintln!("line {number} is left out: {text:?}: {reason}");
                }
            }
            Line::Duplicate(_) => repeated += 1,
            Line::Nothing => {}
        }
    }
    if rejected > SHOWN {
        eprintln!("{} more lines are left out", rejected - SHOWN);
    }
    if repeated > 0 {
        eprintln!("names that are there already are left out: {repeated}");
    }
    if names.is_empty() {
        return Err(refused("holds no domain name".to_owned()));
    }
    Ok(Names::Listed {
        names,
        lines,
        sha256: crate::auth::hex(&digest.finalize()),
    })
}
