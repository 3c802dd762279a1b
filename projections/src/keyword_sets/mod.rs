//! keyword_sets
