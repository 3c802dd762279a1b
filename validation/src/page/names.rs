//! Names of elements, compared as numbers: a page has hundreds of tags, and each is looked up among dozens of names.

/// Longest name that means something here, in bytes.
const LONGEST: usize = 16;

/// An element's name in any case; names too long to matter are all [`Name::OTHER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u128);

impl Name {
    pub(super) const OTHER: Self = Self(0);

    pub(super) const fn of(name: &str) -> Self {
        if name.len() > LONGEST {
            return Self::OTHER;
        }
        let (mut packed, mut rest) = (0, name.as_bytes());
        while let [byte, behind @ ..] = rest {
            packed = packed << 8 | byte.to_ascii_lowercase() as u128;
            rest = behind;
        }
        Self(packed)
    }

    /// Tells whether an element begins and ends a line.
    pub(super) const fn is_block(self) -> bool {
        matches!(
            self,
            ADDRESS
                | ARTICLE
                | ASIDE
                | BLOCKQUOTE
                | BODY
                | BR
                | CAPTION
                | CENTER
                | DD
                | DETAILS
                | DIALOG
                | DIR
                | DIV
                | DL
                | DT
                | FIELDSET
                | FIGCAPTION
                | FIGURE
                | FOOTER
                | FORM
                | FRAMESET
                | HEAD
                | HEADER
                | HGROUP
                | HR
                | HTML
                | LEGEND
                | LI
                | MAIN
                | MENU
                | NAV
                | OL
                | OPTGROUP
                | P
                | PRE
                | SEARCH
                | SECTION
                | SUMMARY
                | TABLE
                | TBODY
                | TFOOT
                | THEAD
                | TITLE
                | TR
                | UL
        )
    }
}

macro_rules! names {
    ($($name:ident = $text:literal),+ $(,)?) => {
        $(pub(super) const $name: Name = Name::of($text);)+
    };
}

names! {
    A = "a", ADDRESS = "address", AREA = "area", ARTICLE = "article", ASIDE = "aside", AUDIO = "audio", BASE = "base",
    BLOCKQUOTE = "blockquote", BODY = "body", BR = "br", BUTTON = "button", CANVAS = "canvas", CAPTION = "caption",
    CENTER = "center", DD = "dd", DETAILS = "details", DIALOG = "dialog", DIR = "dir", DIV = "div", DL = "dl", DT = "dt",
    FIELDSET = "fieldset", FIGCAPTION = "figcaption", FIGURE = "figure", FOOTER = "footer", FORM = "form",
    FRAME = "frame", FRAMESET = "frameset", GENERATOR = "generator", H1 = "h1", H2 = "h2", H3 = "h3", H4 = "h4",
    H5 = "h5", H6 = "h6", HEAD = "head", HEADER = "header", HGROUP = "hgroup", HR = "hr", HTML = "html",
    IFRAME = "iframe", IMG = "img", INPUT = "input", KEYWORDS = "keywords", DESCRIPTION = "description",
    LEGEND = "legend", LI = "li", LINK = "link", MAIN = "main", MATH = "math", MENU = "menu", META = "meta", NAV = "nav",
    NOEMBED = "noembed", NOFRAMES = "noframes", NOSCRIPT = "noscript", OBJECT = "object", OL = "ol",
    OPTGROUP = "optgroup", OPTION = "option", P = "p", PRE = "pre", SCRIPT = "script", SEARCH = "search",
    SECTION = "section", SELECT = "select", SPAN = "span", STYLE = "style", SUMMARY = "summary", SVG = "svg",
    TABLE = "table", TBODY = "tbody", TD = "td", TEMPLATE = "template", TEXTAREA = "textarea", TFOOT = "tfoot",
    TH = "th", THEAD = "thead", TITLE = "title", TR = "tr", UL = "ul", VIDEO = "video", XMP = "xmp",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_in_any_case_and_apart_otherwise() {
        assert_eq!(Name::of("ScRipt"), SCRIPT);
        assert_ne!(Name::of("scrip"), SCRIPT);
        assert_ne!(Name::of("tscript"), SCRIPT);
        assert_eq!(Name::of("a-name-of-17-char"), Name::OTHER);
        assert_eq!(Name::of(""), Name::OTHER);
        assert!(BLOCKQUOTE.is_block() && !Name::of("font").is_block());
    }
}
