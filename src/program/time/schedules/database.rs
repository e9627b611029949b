//! What the database starts: its jobs by the clock, and the requests by which it asks the app's entry points.

use super::Schedule;
use crate::finding::Place;
use crate::names::Name;
use crate::program::{Entry, FunctionRef, Program};
use crate::sql::Request;

/// The jobs of the database that ask an entry point.
pub(super) fn in_database(program: &Program, found: &mut Vec<Schedule>) {
    for (_, job) in program.database().jobs() {
        let Some(cron) = &job.schedule else { continue };
        for request in &job.requests {
            let path = path_of(&request.url);
            let asks = program.served_at(&path, "");
            let runs: Vec<FunctionRef> = asks.iter().map(|&entry| program.entries[entry].function).collect();
            if !runs.is_empty() {
                let (place, cron) = (job.schedule_place, cron.to_string());
                found.push(Schedule { place, cron, what: path, runs, asks, by_platform: false });
            }
        }
    }
}

/// A request by which the database asks an entry point.
#[derive(Debug, Clone, Copy)]
pub struct AskedByDatabase {
    /// The job that makes it, by itself or through a function.
    pub job: Option<Name>,
    /// The function of the database that makes it.
    pub function: Option<Name>,
    /// Where it stands.
    pub place: Place,
}

impl Program {
    /// The requests by which the database's jobs and functions ask an entry point, by place.
    pub fn asked_by_database(&self, entry: &Entry) -> Vec<AskedByDatabase> {
        let asks = |request: &&Request| {
            let served = self.served_at(&path_of(&request.url), "");
            served.iter().any(|&at| self.entries[at].function == entry.function)
        };
        let mut found: Vec<AskedByDatabase> = Vec::new();
        for history in &self.database().histories {
            for (id, function) in &history.functions {
                let requests = function.requests.iter().filter(asks);
                found.extend(requests.map(|request| AskedByDatabase {
                    job: None,
                    function: Some(id.name),
                    place: request.place,
                }));
            }
            for job in &history.jobs {
                for request in job.requests.iter().filter(asks) {
                    match found.iter_mut().find(|known| known.place == request.place) {
                        Some(known) => known.job = job.name.or(known.job),
                        None => found.push(AskedByDatabase { job: job.name, function: None, place: request.place }),
                    }
                }
            }
        }
        found.sort_by_key(|asked| asked.place);
        // A job may be read in several histories.
        found.dedup_by_key(|asked| asked.place);
        found
    }
}

/// The path of a URL: `https://app.example/api/x?y` -> `/api/x`; what stands before may be a variable.
pub(super) fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#', ' ', '"', '\'']).next().unwrap_or_default().to_owned()
}
