//! Listing repositories.

use zas_blocking::METADATA_READS;
use zas_core::RepositoryName;

use super::{Registry, RegistryError, Result};
use crate::services::auth::Readable;

/// Repositories that one page looks at before it answers what it has, so that a caller who may read few of many
/// repositories gets short pages instead of long waits: a few milliseconds, none of them on the caller's thread.
const SCANNED_PER_PAGE: usize = 4_000;

/// Repositories looked at on the caller's thread, which serves others too: some 100 microseconds. A page of 100, and one
/// more.
const FIRST_STEP: usize = 101;

/// Most repositories read from the store at a time.
const STEP: usize = 1_000;

/// A page of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The repositories that the caller may read, in byte order.
    pub repositories: Vec<RepositoryName>,
    /// The name to continue after, when there may be more. The caller may not be allowed to know it.
    pub next: Option<RepositoryName>,
}

impl Registry {
    /// Repositories behind `after` in byte order that are `readable`, at most `count` and at most a page.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_repositories(
        &self,
        after: Option<&str>,
        count: Option<usize>,
        readable: &Readable,
    ) -> Result<Catalog> {
        let page_size = self.settings().page_size;
        let count = count.unwrap_or(page_size).min(page_size);
        let mut page = Page::new(count);
        if count == 0 {
            return Ok(page.ended());
        }
        // One more tells whether there is another page.
        let mut step = (count + 1).min(FIRST_STEP);
        loop {
            let from = page.scanned.as_ref().map(RepositoryName::as_str).or(after);
            let listed = self.metadata.list_repositories("", from, step).await?;
            let more = listed.more;
            page.add(seen(listed.entries, readable).await?);
            if page.has_another {
                return Ok(page.full());
            }
            if !more {
                return Ok(page.ended());
            }
            if page.scanned_count >= SCANNED_PER_PAGE {
                return Ok(page.broken_off());
            }
            // What is wanting, or more and more where few are readable.
            let wanting = count + 1 - page.repositories.len();
            step = wanting
                .max(2 * step)
                .min(STEP)
                .min(SCANNED_PER_PAGE - page.scanned_count);
        }
    }
}

/// A repository and whether it may be shown.
type Seen = (RepositoryName, bool);

/// Asks for each name whether it may be shown: here when they are few, else where nobody waits.
async fn seen(names: Vec<RepositoryName>, readable: &Readable) -> Result<Vec<Seen>> {
    let readable = readable.clone();
    let ask = move |names: Vec<RepositoryName>| -> Vec<Seen> {
        let seen = names.into_iter().map(|name| {
            let is_readable = readable.contains(&name);
            (name, is_readable)
        });
        seen.collect()
    };
    if names.len() <= FIRST_STEP {
        return Ok(ask(names));
    }
    let asked = METADATA_READS.run(move || ask(names)).await;
    asked.map_err(|error| RegistryError::Task(error.to_string()))
}

/// A page that is being filled.
struct Page {
    count: usize,
    repositories: Vec<RepositoryName>,
    /// The last name that was looked at.
    scanned: Option<RepositoryName>,
    scanned_count: usize,
    /// Whether there is a readable repository behind a full page.
    has_another: bool,
}

impl Page {
    fn new(count: usize) -> Self {
        Self {
            count,
            repositories: Vec::new(),
            scanned: None,
            scanned_count: 0,
            has_another: false,
        }
    }

    fn add(&mut self, names: Vec<Seen>) {
        for (name, is_readable) in names {
            if is_readable && self.repositories.len() == self.count {
                self.has_another = true;
                return;
            }
            if is_readable {
                self.repositories.push(name.clone());
            }
            self.scanned_count += 1;
            self.scanned = Some(name);
        }
    }

    /// There is nothing more.
    fn ended(self) -> Catalog {
        Catalog {
            repositories: self.repositories,
            next: None,
        }
    }

    /// There is more to show behind the last one shown.
    fn full(self) -> Catalog {
        Catalog {
            next: self.repositories.last().cloned(),
            repositories: self.repositories,
        }
    }

    /// There may be more behind the last one looked at.
    fn broken_off(self) -> Catalog {
        Catalog {
            repositories: self.repositories,
            next: self.scanned,
        }
    }
}
