//! Who calls and what they may do.
//!
//! Every way to sign in ends in one [`Principal`], and every question is answered by one evaluator,
//! [`AccessPolicy::decide`].

mod access;
mod administrator;
mod attempts;
mod basic;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod htpasswd;
mod in_force;
mod keys;
mod locked_file;
mod passwords;
mod policy;
mod positions;
mod principal;
mod running;
mod stored_hash;
mod users;
mod verified;

pub use access::{Access, AuthenticationError, ReadFilter};
pub use in_force::AccessProblems;
pub use policy::{AccessPolicy, AccessRequest, Decision, Reason, RequestContext, Resource};
pub use principal::Principal;
pub use users::{ListedUsers, UserAdded, UsersError, add_user, list_users, remove_user};
pub use zas_config::Action;
