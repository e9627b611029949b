//! How long platforms let functions run.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A platform that ends what runs too long.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The framework of its entry points: `supabase-functions`.
    pub framework: String,
    /// Seconds until it ends them.
    pub seconds: f64,
    /// It is known to be the platform only where settings of this name stand in or above the folder.
    pub told_by: Option<String>,
    /// Functions whose names end so live longer, and how long: those that run in the background.
    pub longer: Option<Longer>,
    /// Where code itself says how long.
    pub said: Option<Said>,
    /// Where it comes from.
    pub source: Source,
}

/// How code says how long a function may run.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The package that declares the functions: `npm:firebase-functions`.
    pub package: String,
    /// The option of the declaring call, or of one before it in its chain, with the seconds: `timeoutSeconds`.
    pub option: String,
    /// The call by which a program says it for all of its functions: `setGlobalOptions`.
    pub for_all: Option<String>,
}

/// Functions of a platform that live longer than its others.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Longer {
    /// How their names end: `-background`.
    pub ending: String,
    /// Seconds until they are ended.
    pub seconds: f64,
}

/// A server that ends its workers when a request takes too long.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The command that starts it: `gunicorn`.
    pub command: String,
    /// The frameworks that run in its workers one request at a time.
    pub frameworks: Vec<String>,
    /// Seconds when nothing is said.
    pub seconds: f64,
    /// Options that say how many.
    pub options: Vec<String>,
    /// Options with which it may be otherwise: other kinds of workers, settings in a file.
    pub unless: Vec<String>,
    /// Values of those with which it is not.
    pub plain: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

impl Server {
    /// Seconds until a worker that this command starts is ended; none when that cannot be told, or never.
    pub fn seconds_of(&self, command: &str) -> Option<f64> {
        let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'', ','])).peekable();
        words.find(|word| word.rsplit('/').next() == Some(self.command.as_str()))?;
        let mut seconds = self.seconds;
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None => (word, words.peek().copied()),
            };
            if self.options.iter().any(|known| known == option) {
                seconds = value?.parse().ok()?;
            } else if self.unless.iter().any(|known| known == option)
                && !value.is_some_and(|value| self.plain.iter().any(|plain| plain == value))
            {
                return None;
            }
        }
        // Zero is no limit.
        (seconds > 0.0).then_some(seconds)
    }
}

impl Catalogue {
    /// The platform that runs entry points of a framework; none when that is for the project to say.
    pub fn platform(&self, framework: &str) -> Option<&Platform> {
        self.platforms.iter().find(|platform| platform.framework == framework)
    }

    /// The servers that run a framework.
    pub fn servers<'c>(&'c self, framework: &'c str) -> impl Iterator<Item = &'c Server> {
        self.servers.iter().filter(move |server| server.frameworks.iter().any(|known| known == framework))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_how_long() {
        let catalogue = Catalogue::builtin();
        let of = |command: &str| catalogue.servers("flask").find_map(|server| server.seconds_of(command));
        assert_eq!(of("gunicorn app:app"), Some(30.0));
        assert_eq!(of("gunicorn app:app --timeout 120 --worker-class sync"), Some(120.0));
        assert_eq!(of("python -m gunicorn -t=90 app:app"), Some(90.0));
        assert_eq!(of("gunicorn -k gevent app:app"), None);
        assert_eq!(of("gunicorn -c gunicorn.conf.py app:app"), None);
        assert_eq!(of("gunicorn app:app --timeout 0"), None);
        assert_eq!(of("uvicorn app:app"), None);
    }
}
