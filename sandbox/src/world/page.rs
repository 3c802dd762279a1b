//! Generated pages: realistic HTML of 2–8 kB, the same for the same host and path every time.
//!
//! What a reader sees is collected beside the markup, so that an expectation is computed from the page itself and not
//! from what the page was meant to be. Every page also carries keywords where no reader sees them (a script, a comment,
//! a style sheet): a client that reports those is wrong.

use super::draw::Draw;
use super::words::{BRANDS, ENDINGS, OBJECTS, SUBJECTS, VERBS};

/// Paths that a generated page links to and that exist beside `/`.
pub(crate) const INNER_PATHS: [&str; 3] = ["/about.html", "/services.html", "/contact.html"];

/// What kind of page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Headings, paragraphs, navigation, contact: 2–8 kB.
    Full,
    /// Under 1 kB with the first keyword only; the others are on the pages it links to.
    Thin,
    /// A domain for sale, with a parking service's links.
    Parked,
}

/// The recipe of a generated page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageScript {
    /// The kind of page.
    pub kind: Kind,
    /// Keywords that a reader sees, each at least once.
    pub keywords: Vec<String>,
    /// Keywords in scripts, comments and styles only.
    pub decoys: Vec<String>,
}

impl PageScript {
    /// Makes a full page that shows these keywords.
    #[must_use]
    pub fn with_keywords(keywords: &[&str]) -> Self {
        Self {
            kind: Kind::Full,
            keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
            decoys: Vec::new(),
        }
    }

    /// Makes a parked page.
    #[must_use]
    pub fn parked() -> Self {
        Self {
            kind: Kind::Parked,
            keywords: Vec::new(),
            decoys: Vec::new(),
        }
    }

    /// Renders the page at a path, or nothing where the site has no such page.
    pub(crate) fn render(&self, host: &str, path: &str) -> Option<Rendered> {
        let inner = INNER_PATHS.contains(&path);
        if !inner && !matches!(path, "/" | "/home" | "/again" | "/index.html") {
            return None;
        }
        let front = if inner { path } else { "/" };
        let mut writer = Writer {
            html: String::with_capacity(8 * 1024),
            visible: Vec::with_capacity(48),
        };
        let mut draw = Draw::new(0, &format!("{host}{front}"));
        match self.kind {
            Kind::Parked => parked(&mut writer, host),
            Kind::Thin if !inner => thin(&mut writer, self, host, &mut draw),
            Kind::Thin | Kind::Full => full(&mut writer, self, host, &mut draw),
        }
        Some(Rendered {
            html: writer.html,
            visible: writer.visible,
        })
    }
}

/// A page as sent, and what a reader sees of it.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) html: String,
    pub(crate) visible: Vec<String>,
}

impl Rendered {
    /// Says whether a reader sees this text anywhere, in any case.
    pub(crate) fn shows(&self, keyword: &str) -> bool {
        let keyword = keyword.to_lowercase();
        !keyword.is_empty()
            && self
                .visible
                .iter()
                .any(|piece| piece.to_lowercase().contains(&keyword))
    }
}

/// Collects markup and, beside it, visible text.
struct Writer {
    html: String,
    visible: Vec<String>,
}

impl Writer {
    fn markup(&mut self, markup: &str) {
        self.html.push_str(markup);
    }

    /// Writes one element whose text a reader sees.
    fn element(&mut self, open: &str, text: &str, close: &str) {
        self.html.push_str(open);
        self.html.push_str(&escape(text));
        self.html.push_str(close);
        self.visible.push(text.to_owned());
    }

    fn head(&mut self, title: &str, description: &str, decoys: &[String]) {
        self.markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        self.element("<title>", title, "</title>\n");
        self.element(
            "<meta name=\"description\" content=\"",
            description,
            "\">\n",
        );
        let hidden = decoys.join(" ");
        self.markup("<style>body{font:16px/1.5 sans-serif;max-width:60em;margin:auto} .note::before{content:\"");
        self.markup(&escape(&hidden));
        self.markup("\"}</style>\n<script>window.dataLayer=[{tags:\"");
        self.markup(&escape(&hidden));
        self.markup("\"}];</script>\n<!-- ");
        self.markup(&escape(&hidden));
        self.markup(" -->\n</head>\n<body>\n");
    }
}

fn escape(text: &str) -> String {
    if !text.contains(['&', '<', '>', '"']) {
        return text.to_owned();
    }
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Makes a company's name from a host name: its first label, capitalised, and a word.
fn brand(host: &str, draw: &mut Draw) -> String {
    let label = host
        .trim_start_matches("www.")
        .split('.')
        .next()
        .unwrap_or(host);
    let mut letters = label.chars();
    let first = letters
        .next()
        .map(|c| c.to_ascii_uppercase().to_string())
        .unwrap_or_default();
    format!(
        "{first}{} {}",
        letters.as_str(),
        draw.pick(&BRANDS).unwrap_or("House")
    )
}

fn sentence(draw: &mut Draw) -> String {
    let [subject, verb, object, ending] = [
        draw.pick(&SUBJECTS),
        draw.pick(&VERBS),
        draw.pick(&OBJECTS),
        draw.pick(&ENDINGS),
    ]
    .map(Option::unwrap_or_default);
    let mut letters = subject.chars();
    let first = letters
        .next()
        .map(|c| c.to_ascii_uppercase())
        .unwrap_or(' ');
    format!("{first}{} {verb} {object} {ending}.", letters.as_str())
}

fn full(writer: &mut Writer, script: &PageScript, host: &str, draw: &mut Draw) {
    let brand = brand(host, draw);
    let first = script.keywords.first();
    // The first keyword stands in the title on two pages of three and in the heading on one of two.
    let in_title = first.filter(|_| draw.below(3) > 0);
    let in_heading = first.filter(|_| draw.below(2) == 0);
    let title = in_title.map_or_else(
        || format!("{brand} | Welcome"),
        |keyword| format!("{brand} | {keyword}"),
    );
    let description = format!("{brand}: {}", sentence(draw).to_lowercase());
    writer.head(&title, &description, &script.decoys);
    writer.markup("<header><nav>\n");
    for (path, text) in [
        ("/", "Home"),
        ("/about.html", "About"),
        ("/services.html", "Services"),
        ("/contact.html", "Contact"),
    ] {
        writer.element(&format!("<a href=\"{path}\">"), text, "</a>\n");
    }
    for keyword in script.keywords.iter().filter(|_| draw.below(3) == 0) {
        writer.element(
            "<a href=\"/services.html\">",
            &format!("More about {keyword}"),
            "</a>\n",
        );
    }
    writer.markup("</nav></header>\n<main>\n");
    let heading = in_heading.map_or_else(|| brand.clone(), |keyword| format!("{brand}: {keyword}"));
    writer.element("<h1>", &heading, "</h1>\n");

    // Every keyword one to six times, spread over the sentences in turn.
    let mut pending: Vec<&str> = Vec::new();
    for keyword in &script.keywords {
        for _ in 0..=draw.below(6) {
            pending.push(keyword);
        }
    }
    let paragraphs = 5 + draw.below(14);
    for paragraph in 0..paragraphs {
        if paragraph % 4 == 0 {
            writer.element("<h2>", &sentence(draw), "</h2>\n");
        }
        let mut text = String::new();
        for _ in 0..4 + draw.below(4) {
            text.push_str(&sentence(draw));
            text.push(' ');
        }
        if let Some(keyword) = pending.pop() {
            text.push_str(&format!("Ask us about {keyword} today. "));
        }
        writer.element("<p>", text.trim_end(), "</p>\n");
    }
    if !pending.is_empty() {
        writer.markup("<ul>\n");
        for keyword in pending {
            writer.element(
                "<li>",
                &format!("{} and {keyword}", sentence(draw).trim_end_matches('.')),
                "</li>\n",
            );
        }
        writer.markup("</ul>\n");
    }
    writer.markup("</main>\n");
    footer(writer, host, &brand, draw);
}

/// Ways to get in touch, and links that leave the site.
fn footer(writer: &mut Writer, host: &str, brand: &str, draw: &mut Draw) {
    let bare = host.trim_start_matches("www.");
    writer.markup("<footer>\n");
    writer.element(
        &format!("<a href=\"mailto:info@{bare}\">"),
        &format!("info@{bare}"),
        "</a>\n",
    );
    let (area, line) = (200 + draw.below(700), 1000 + draw.below(9000));
    writer.element(
        &format!("<a href=\"tel:+1{area}555{line}\">"),
        &format!("+1 {area} 555 {line}"),
        "</a>\n",
    );
    writer.element(
        "<a href=\"https://social.sandbox.test/\" rel=\"me\">",
        "Follow us",
        "</a>\n",
    );
    writer.element("<small>", &format!("© 2024 {brand}"), "</small>\n");
    writer.markup("</footer>\n</body>\n</html>\n");
}

fn thin(writer: &mut Writer, script: &PageScript, host: &str, draw: &mut Draw) {
    let brand = brand(host, draw);
    writer.head(&brand, "A short page", &[]);
    writer.element("<h1>", &brand, "</h1>\n");
    let hint = script.keywords.first().map_or_else(
        || sentence(draw),
        |keyword| format!("Everything about {keyword}."),
    );
    writer.element("<p>", &hint, "</p>\n");
    for (path, text) in INNER_PATHS
        .iter()
        .zip(["About us", "Our services", "Get in touch"])
    {
        writer.element(&format!("<a href=\"{path}\">"), text, "</a>\n");
    }
    writer.markup("</body>\n</html>\n");
}

fn parked(writer: &mut Writer, host: &str) {
    let bare = host.trim_start_matches("www.");
    writer.head(
        &format!("{bare} is for sale"),
        &format!("The domain {bare} may be for sale. Buy this domain."),
        &[],
    );
    writer.element("<h1>", bare, "</h1>\n");
    writer.element(
        "<p>",
        "This domain is for sale. Buy this domain today or make an offer.",
        "</p>\n",
    );
    writer.element(
        "<a href=\"https://parking.sandbox.test/buy\">",
        "Buy this domain",
        "</a>\n",
    );
    writer.element("<h2>", "Related searches", "</h2>\n<ul>\n");
    for topic in [
        "Cheap flights",
        "Car insurance",
        "Credit cards",
        "Web hosting",
        "Online courses",
        "Hotel deals",
    ] {
        writer.element(
            "<li><a href=\"https://parking.sandbox.test/ads?q=1\">",
            topic,
            "</a></li>\n",
        );
    }
    writer.element("</ul>\n<p>", "This page is parked free, courtesy of the registrar. The sponsored listings are served by a third party.", "</p>\n");
    writer.markup("</body>\n</html>\n");
}
