//! A campaign by hand: the commands of the README, which the interface's page shows as well.

const README: &str = include_str!("../../../README.md");

/// Returns the README's first block of shell commands that is a whole campaign, with its fences, as Markdown.
pub(super) fn campaign_by_hand() -> &'static str {
    let block = README.find("```bash\n").and_then(|start| {
        let block = README.get(start..)?;
        let end = block.find("\n```\n")?;
        block.get(..end + "\n```\n".len())
    });
    block.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_from_the_log_in_to_the_result() {
        let shown = campaign_by_hand();
        assert!(shown.starts_with("```bash\n") && shown.ends_with("\n```\n"));
        let steps = [
            "curl",
            "/auth/login",
            "post /campaigns",
            "/configure",
            "/start",
            "/events?after=0",
            "/domains?",
            "/export?format=csv",
        ];
        let places: Vec<_> = steps.map(|step| shown.find(step)).into_iter().collect();
        assert!(places.iter().all(Option::is_some), "{places:?}");
        assert!(places.is_sorted(), "{places:?}");
    }
}
