//! The proof that somebody was asked for: services take it in place of a name.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use zas_core::RepositoryName;

use super::action::{GrantableAction, Pull, PutObject};
use super::{Actor, Principal};

/// An action on a target that [`Access`](super::Access) has allowed to a principal. Nobody else makes one, so a service
/// that takes it cannot be called without asking, nor for another target than was asked for.
pub struct Granted<'a, A: GrantableAction> {
    principal: &'a Principal,
    target: &'a A::Target,
    write_right: WriteRight,
    action: PhantomData<A>,
}

/// Which keys may be written. It is a precondition of the commit, so that a right to create never overwrites, however
/// requests interleave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRight {
    /// A key that does not exist.
    Create,
    /// A key that exists.
    Update,
    /// Any key.
    Any,
}

impl<'a, A: GrantableAction> Granted<'a, A> {
    pub(super) fn new(principal: &'a Principal, target: &'a A::Target, write_right: WriteRight) -> Self {
        Self {
            principal,
            target,
            write_right,
            action: PhantomData,
        }
    }

    /// What the action may be done to.
    pub fn target(&self) -> &'a A::Target {
        self.target
    }

    /// Who may do it.
    pub fn principal(&self) -> &'a Principal {
        self.principal
    }

    /// Whom the action is ascribed to.
    pub fn actor(&self) -> Actor {
        self.principal.actor()
    }

    /// A grant that nobody was asked for, to a user `alice`.
    #[cfg(test)]
    pub(crate) fn in_test(target: &'a A::Target) -> Self {
        static ALICE: std::sync::LazyLock<Principal> =
            std::sync::LazyLock::new(|| Principal::user("alice".parse().unwrap()));
        Self::new(&ALICE, target, WriteRight::Any)
    }
}

impl Granted<'_, PutObject> {
    /// Which keys may be written.
    pub fn write_right(&self) -> WriteRight {
        self.write_right
    }
}

impl<A: GrantableAction> Clone for Granted<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: GrantableAction> Copy for Granted<'_, A> {}

impl<A: GrantableAction> fmt::Debug for Granted<'_, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Granted({} to {:?})",
            A::action(self.target),
            self.principal.name()
        )
    }
}

type MayRead = dyn Fn(&Principal, &RepositoryName) -> bool + Send + Sync;

/// Which repositories a principal may read, by the rules of one moment. Cheap to clone, and may leave the thread.
#[derive(Clone)]
pub struct Readable {
    principal: Principal,
    may_read: Arc<MayRead>,
}

impl Readable {
    pub(super) fn new(
        principal: &Principal,
        may_read: impl Fn(&Principal, &RepositoryName) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            principal: principal.clone(),
            may_read: Arc::new(may_read),
        }
    }

    /// Whether the repository may be read.
    pub fn contains(&self, repository: &RepositoryName) -> bool {
        (self.may_read)(&self.principal, repository)
    }

    /// The right to read one repository, if there is one.
    pub fn grant<'a>(&'a self, repository: &'a RepositoryName) -> Option<Granted<'a, Pull>> {
        self.contains(repository)
            .then(|| Granted::new(&self.principal, repository, WriteRight::Any))
    }

    /// What nobody was asked for.
    #[cfg(test)]
    pub(crate) fn in_test(may_read: impl Fn(&RepositoryName) -> bool + Send + Sync + 'static) -> Self {
        Self::new(&Principal::ANONYMOUS, move |_, repository| may_read(repository))
    }
}

impl fmt::Debug for Readable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Readable(by {:?})", self.principal.name())
    }
}
