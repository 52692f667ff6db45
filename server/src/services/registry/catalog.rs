//! Listing repositories.

use zas_core::RepositoryName;

use super::{Registry, Result};

/// Repositories that one page looks at before it answers what it has, so that a caller who may read few of many
/// repositories gets short pages instead of long waits.
const SCANNED_PER_PAGE: usize = 10_000;

/// Repositories read from the store at a time.
const SCAN_STEP: usize = 1_000;

/// A page of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The repositories that the caller may read, in byte order.
    pub repositories: Vec<RepositoryName>,
    /// The name to continue after, when there may be more.
    pub next: Option<RepositoryName>,
}

impl Registry {
    /// Repositories behind `after` in byte order that `may_read` allows, at most `count` and at most a page.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn list_repositories(
        &self,
        after: Option<&str>,
        count: Option<usize>,
        may_read: impl Fn(&RepositoryName) -> bool,
    ) -> Result<Catalog> {
        let page_size = self.settings().page_size;
        let count = count.unwrap_or(page_size).min(page_size);
        let mut repositories = Vec::new();
        if count == 0 {
            return Ok(Catalog {
                repositories,
                next: None,
            });
        }
        let mut last: Option<RepositoryName> = None;
        let mut scanned = 0;
        loop {
            let from = last.as_ref().map(RepositoryName::as_str).or(after);
            let step = SCAN_STEP.min(count + 1);
            let page = self.metadata.list_repositories("", from, step).await?;
            for name in page.entries {
                if repositories.len() == count {
                    return Ok(Catalog {
                        repositories,
                        next: last,
                    });
                }
                scanned += 1;
                if may_read(&name) {
                    repositories.push(name.clone());
                }
                last = Some(name);
            }
            if !page.more {
                return Ok(Catalog {
                    repositories,
                    next: None,
                });
            }
            if scanned >= SCANNED_PER_PAGE {
                return Ok(Catalog {
                    repositories,
                    next: last,
                });
            }
        }
    }
}
