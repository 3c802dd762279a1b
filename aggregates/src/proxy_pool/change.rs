//! Changes a pool.

use super::{Error, Event, ProxyPool, Settings, Strategy, create::check_name};

/// Changes a pool; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// How it works from now on.
    pub settings: SettingsChange,
}

/// What is to be other about how a pool works; absent fields stay. The bounds are those of [`Settings`].
#[derive(Clone, Debug, Default)]
pub struct SettingsChange {
    /// Whether phases may use the pool.
    pub enabled: Option<bool>,
    /// Which proxy is taken next.
    pub strategy: Option<Strategy>,
    /// Whether its proxies are checked by themselves.
    pub health_check_enabled: Option<bool>,
    /// How long after a check of a proxy the next one is due, seconds.
    pub health_check_interval_seconds: Option<u32>,
    /// How many other proxies are tried for a page after one failed.
    pub max_retries: Option<u32>,
    /// How long a proxy may take, seconds.
    pub timeout_seconds: Option<u32>,
}

impl SettingsChange {
    /// Returns what settings become by the change.
    #[must_use]
    pub fn on(&self, old: &Settings) -> Settings {
        Settings {
            enabled: self.enabled.unwrap_or(old.enabled),
            strategy: self.strategy.unwrap_or(old.strategy),
            health_check_enabled: self
                .health_check_enabled
                .unwrap_or(old.health_check_enabled),
            health_check_interval_seconds: self
                .health_check_interval_seconds
                .unwrap_or(old.health_check_interval_seconds),
            max_retries: self.max_retries.unwrap_or(old.max_retries),
            timeout_seconds: self.timeout_seconds.unwrap_or(old.timeout_seconds),
        }
    }
}

impl Change {
    pub(super) fn decide(self, pool: &ProxyPool) -> Result<Vec<Event>, Error> {
        let owner = pool.owner().ok_or(Error::NotFound)?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let settings = self.settings.on(&pool.settings);
        settings.validate()?;
        let name = self.name.filter(|name| *name != pool.name);
        let description = self
            .description
            .filter(|text| pool.description() != Some(text));
        let settings = Some(settings).filter(|settings| *settings != pool.settings);
        if name.is_none() && description.is_none() && settings.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![Event::Changed {
            owner,
            name,
            description,
            settings,
        }])
    }
}
