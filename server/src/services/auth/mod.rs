//! Who calls and what they may do.
//!
//! Every way to sign in is a [`Credential`](credential::Credential) and ends in one [`Principal`]. Every question is
//! answered by one evaluator, [`AccessPolicy::decide`]; a yes is a [`Granted`], which services take as their proof.

mod access;
mod access_keys;
pub mod action;
mod administrator;
mod attempts;
mod basic;
mod credential;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod granted;
mod htpasswd;
mod in_force;
mod key_set;
mod keys;
mod local_passwords;
mod locked_file;
mod passwords;
mod policy;
mod positions;
mod principal;
mod request_head;
mod running;
mod stored_hash;
mod target;
mod tokens;
mod users;
mod verified;

pub use access::{Access, AuthenticationError, Denied};
pub use access_keys::{AccessKeyError, AccessKeyWish, AccessKeys, CreatedAccessKey, KeyHolder};
pub use action::{Action, GrantableAction, Need, OciAction};
pub use granted::{Granted, Readable, WriteRight};
pub use in_force::AccessProblems;
pub use key_set::KeySet;
pub use policy::{AccessPolicy, Asked, Decision, Reason, Resource};
pub use principal::{Actor, Identity, InvalidIssuer, Principal, Role};
pub use request_head::{Headers, RequestHead};
pub use target::{Account, OwnedBucket, OwnedObject, OwnedUpload};
pub use users::{ListedUsers, UserAdded, UsersError, add_user, list_users, remove_user};
