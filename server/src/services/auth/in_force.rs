//! Users, administrator and rules, as they were read from the configuration and from the files that it names.

use std::path::Path;
use std::sync::Arc;

use zas_config::{Administrator as AdministratorFiles, Auth, Configuration, UserName};
use zas_s3::sigv4::SecretKey;

use super::administrator::Administrator;
use super::attempts::AttemptLimit;
use super::basic;
use super::credential::Credential;
use super::htpasswd::{Htpasswd, UsersFile};
use super::local_passwords::LocalPasswords;
use super::passwords::{Passwords, SignIn};
use super::tokens::{Issuers, KeycloakTokens};
use super::{AccessPolicy, Actor, Principal};

/// What a reload exchanges. Each part of it is read by itself, so that what is wrong with one keeps no other back.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) policy: AccessPolicy,
    /// The ways to sign in, none when nobody can.
    pub(super) credentials: Vec<Arc<dyn Credential>>,
    local: Option<Arc<LocalPasswords>>,
    pub(super) problems: AccessProblems,
}

/// What of the configuration is not in force as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessProblems {
    /// Lines of the file of users that cannot be used, or why the whole file is not.
    pub users: Vec<String>,
    /// Why the administrator is not the one of the files.
    pub administrator: Vec<String>,
}

/// One reading of the files.
struct Reading<'a> {
    passwords: &'a Arc<Passwords>,
    before: Option<&'a SignIn>,
    problems: AccessProblems,
    /// Those of the problems that leave nothing to go on with.
    unreadable: Vec<String>,
    /// Whether the file of users was there and could be read.
    has_read_users: bool,
}

impl InForce {
    /// Reads what the configuration of a start names.
    ///
    /// # Errors
    /// Each file that cannot be read: there is no last good state to go on with.
    pub(super) fn first(
        configuration: &Configuration,
        passwords: &Arc<Passwords>,
        issuers: &Issuers,
    ) -> Result<Self, Vec<String>> {
        let (in_force, unreadable) = Self::read(configuration, passwords, issuers, None);
        if unreadable.is_empty() {
            Ok(in_force)
        } else {
            Err(unreadable)
        }
    }

    /// Reads what a changed configuration names. What cannot be read stays as it was before.
    pub(super) fn next(
        configuration: &Configuration,
        passwords: &Arc<Passwords>,
        issuers: &Issuers,
        before: &Self,
    ) -> Self {
        Self::read(
            configuration,
            passwords,
            issuers,
            before.local.as_ref().map(|local| &local.sign_in),
        )
        .0
    }

    /// The user of the files that this is; those of other issuers are not known here.
    pub(super) fn principal_of(&self, actor: &Actor) -> Option<Principal> {
        let sign_in = &self.local.as_ref()?.sign_in;
        let user: UserName = actor.subject().parse().ok()?;
        let principal = sign_in.principal_named(&user)?;
        principal.is(actor).then_some(principal)
    }

    /// Whether a user of the htpasswd file is none any more: the file was read and does not have the name.
    pub(super) fn is_removed(&self, actor: &Actor) -> bool {
        let is_known = self
            .local
            .as_ref()
            .is_some_and(|local| local.sign_in.are_users_known);
        is_known && actor.is_local() && self.principal_of(actor).is_none()
    }

    /// The secret of an access key, and whose it is.
    pub(super) fn access_key(&self, id: &str) -> Option<(SecretKey, Principal)> {
        let administrator = self.local.as_ref()?.sign_in.administrator.as_ref()?;
        let key = administrator.access_key().filter(|key| key.id() == id)?;
        let principal = Principal::administrator(administrator.name().clone());
        Some((key.secret().clone(), principal))
    }

    fn read(
        configuration: &Configuration,
        passwords: &Arc<Passwords>,
        issuers: &Issuers,
        before: Option<&SignIn>,
    ) -> (Self, Vec<String>) {
        let mut reading = Reading {
            passwords,
            before,
            problems: AccessProblems::default(),
            unreadable: Vec::new(),
            has_read_users: false,
        };
        let auth = configuration.auth.as_ref();
        let auth = auth.filter(|auth| auth.has_users());
        let local = auth.map(|auth| Arc::new(reading.local_passwords(auth)));
        // What a token looks like is no password, so tokens come first.
        let mut credentials = federated(configuration, passwords, issuers, local.is_some());
        let policy = AccessPolicy::new(configuration.access_control.as_ref());
        let policy = if credentials.is_empty() {
            policy
        } else {
            policy.beside_other_issuers()
        };
        credentials.extend(local.iter().map(|local| Arc::clone(local) as Arc<dyn Credential>));
        let in_force = Self {
            policy,
            credentials,
            local,
            problems: reading.problems,
        };
        (in_force, reading.unreadable)
    }
}

/// The ways in for those whom others vouch for.
fn federated(
    configuration: &Configuration,
    passwords: &Passwords,
    issuers: &Issuers,
    has_local_users: bool,
) -> Vec<Arc<dyn Credential>> {
    let rbac = &configuration.extensions.rbac;
    let url = configuration.http.external_url.as_ref();
    let host = url
        .and_then(|url| url.as_str().split_once("://"))
        .map(|(_, host)| host);
    let auth = configuration.auth.clone().unwrap_or_default();
    let keycloak = rbac.keycloak.as_ref().filter(|_| rbac.enabled);
    let challenge = (!has_local_users).then(|| basic::challenge(&auth.realm));
    let keycloak = keycloak
        .map(|settings| KeycloakTokens::new(settings, host, issuers, passwords.keys().clone(), challenge));
    keycloak
        .into_iter()
        .map(|tokens| Arc::new(tokens) as Arc<dyn Credential>)
        .collect()
}

impl Reading<'_> {
    fn local_passwords(&mut self, auth: &Auth) -> LocalPasswords {
        LocalPasswords {
            sign_in: self.sign_in(auth),
            passwords: Arc::clone(self.passwords),
            realm: auth.realm.clone(),
        }
    }

    fn sign_in(&mut self, auth: &Auth) -> SignIn {
        let users = auth.htpasswd.as_ref().map(|htpasswd| self.users(&htpasswd.path));
        let users = users.unwrap_or_default();
        let administrator = auth.administrator.as_ref();
        let administrator = administrator.and_then(|files| self.administrator(files));
        if let Some(name) = administrator.as_ref().map(Administrator::name)
            && users.get(name.as_str()).is_some()
        {
            tracing::warn!(%name, "the htpasswd file names the administrator too: that line does not count");
        }
        SignIn {
            users,
            are_users_known: self.has_read_users,
            administrator,
            remember_for: auth.credential_cache.get(),
            limit: AttemptLimit {
                count: auth.failed_attempts.count,
                window: auth.failed_attempts.window.get(),
            },
        }
    }

    /// A file that is not there has no users, whether it never was or is not any more. Of one that cannot be read nothing
    /// is known, so those who were its users stay.
    fn users(&mut self, path: &Path) -> Htpasswd {
        let file = path.display();
        match UsersFile::load(path) {
            UsersFile::Read(users) => {
                let faults = users.faults().map(|fault| format!("{file}:{fault}"));
                self.problems.users.extend(faults);
                self.has_read_users = self.problems.users.is_empty();
                users
            }
            UsersFile::Absent => {
                let absent = format!("{file} is not there, so none of its users can sign in");
                self.problems.users.push(absent);
                Htpasswd::default()
            }
            UsersFile::Unreadable(reason) => {
                self.problems.users.push(reason.clone());
                self.unreadable.push(reason);
                self.before
                    .map(|sign_in| sign_in.users.clone())
                    .unwrap_or_default()
            }
        }
    }

    fn administrator(&mut self, files: &AdministratorFiles) -> Option<Administrator> {
        let before = self.before.and_then(|sign_in| sign_in.administrator.as_ref());
        match Administrator::load(files, self.passwords.keys(), before) {
            Ok(administrator) => Some(administrator),
            Err(error) => {
                let reason = format!("auth.administrator: {error}");
                self.problems.administrator.push(reason.clone());
                self.unreadable.push(reason);
                before.cloned()
            }
        }
    }
}
