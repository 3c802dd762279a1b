//! The vocabulary of generated pages: plain words, none of which is a keyword that the sandbox plants by default.

/// Keywords that a generated world plants unless told otherwise.
pub const KEYWORDS: [&str; 5] = ["roastery", "espresso", "arabica", "fair trade", "brewing"];

pub(super) const SUBJECTS: [&str; 24] = [
    "our team", "the workshop", "every customer", "the family", "a small crew", "the studio", "our office", "the house",
    "each project", "the region", "a good partner", "the young firm", "our founder", "the market", "the harbour",
    "a careful plan", "the city", "our neighbour", "the garden", "a fresh start", "the archive", "the guild",
    "our newest member", "the board",
];

pub(super) const VERBS: [&str; 24] = [
    "builds", "delivers", "plans", "repairs", "supports", "welcomes", "measures", "paints", "improves", "collects",
    "presents", "prepares", "restores", "designs", "finds", "keeps", "opens", "carries", "explains", "joins", "renews",
    "stores", "tests", "values",
];

pub(super) const OBJECTS: [&str; 32] = [
    "wooden furniture", "quiet rooms", "local events", "honest advice", "garden tools", "new ideas", "old bicycles",
    "clear answers", "fresh paint", "winter gear", "long walks", "public spaces", "small boats", "paper goods",
    "light and shade", "music lessons", "safe bridges", "warm clothing", "weekly meetings", "stone walls",
    "guided tours", "summer courses", "spare parts", "printed maps", "tall windows", "solid floors", "simple tables",
    "early mornings", "soft fabrics", "open doors", "bright lamps", "short stories",
];

pub(super) const ENDINGS: [&str; 16] = [
    "with care", "since 1987", "all year round", "for every budget", "in three languages", "without delay",
    "near the river", "by appointment", "on weekdays", "across the country", "at fixed prices", "together with schools",
    "after a short talk", "from start to finish", "in the old town", "under one roof",
];

pub(super) const BRANDS: [&str; 12] = [
    "House", "Works", "Studio", "Partners", "Group", "Collective", "Supply", "Services", "Corner", "Yard", "Lab", "Hall",
];
