//! A limit that clients share.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Client;
use crate::services::metrics::Reading;

/// So much of something, for all clients together. A client may hold as great a part of what is free as what is free is of
/// the whole: one alone gets three eighths, and whoever comes next finds some. The fewer there are left, the fewer each
/// further client gets: ten that take all they get leave a twelfth to others, and of a thousand places thirty leave thirty.
/// What is taken at once counts as a whole: the last piece of a client may be more than its part, and pieces have to be
/// small against the limit.
///
/// What clients can do without is lent ([`Self::lend`]): half of the whole at most, shared in the same way, and held
/// against nobody who needs something.
#[derive(Debug)]
pub struct Shares {
    state: Mutex<State>,
    full: AtomicU64,
    greedy: AtomicU64,
}

#[derive(Debug)]
struct State {
    limit: usize,
    taken: Account,
    lent: Account,
}

/// Who holds how much.
#[derive(Debug, Default)]
struct Account {
    held: usize,
    by_client: HashMap<Client, usize>,
}

/// How something is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tenure {
    Taken,
    Lent,
}

/// Name and meaning of each number of a limit.
#[derive(Clone, Copy, Debug)]
pub struct SharesMetrics {
    /// How much is held.
    pub held: (&'static str, &'static str),
    /// How much there is.
    pub limit: (&'static str, &'static str),
    /// How many refusals there were, by reason.
    pub refused: (&'static str, &'static str),
}

/// Why a client gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// All of them together hold everything.
    Full,
    /// This client holds its part of what is free.
    Greedy,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "and no more can be taken now",
            Self::Greedy => "and this client has its share",
        })
    }
}

/// What a client holds, until it is dropped.
#[derive(Debug)]
pub struct Share {
    shares: Arc<Shares>,
    client: Client,
    amount: usize,
    tenure: Tenure,
}

impl Shares {
    /// A limit of which nobody holds anything.
    pub fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                limit,
                taken: Account::default(),
                lent: Account::default(),
            }),
            full: AtomicU64::new(0),
            greedy: AtomicU64::new(0),
        }
    }

    /// Changes the limit. What is held stays held, and counts.
    pub fn set_limit(&self, limit: usize) {
        self.lock().limit = limit;
    }

    /// Takes `amount` for a client, at once or not at all.
    ///
    /// # Errors
    /// When there is not so much, or the client holds too much already. The refusal is counted.
    pub fn take(self: &Arc<Self>, client: Client, amount: usize) -> Result<Share, Refusal> {
        self.offer(client, amount)
            .inspect_err(|refusal| self.count(*refusal))
    }

    /// Takes `amount` for a client that is not told when there is nothing.
    ///
    /// # Errors
    /// As [`Self::take`], without being counted.
    pub fn offer(self: &Arc<Self>, client: Client, amount: usize) -> Result<Share, Refusal> {
        self.lock().take(client, amount)?;
        Ok(self.share(client, amount, Tenure::Taken))
    }

    /// Lends `amount` to a client that can do without: nobody is refused for it what they need, unless all is gone.
    pub fn lend(self: &Arc<Self>, client: Client, amount: usize) -> Option<Share> {
        let is_lent = self.lock().lend(client, amount);
        is_lent.then(|| self.share(client, amount, Tenure::Lent))
    }

    /// Holds `amount` for a client whatever the limit is.
    pub fn hold(self: &Arc<Self>, client: Client, amount: usize) -> Share {
        self.lock().taken.add(client, amount);
        self.share(client, amount, Tenure::Taken)
    }

    fn share(self: &Arc<Self>, client: Client, amount: usize, tenure: Tenure) -> Share {
        Share {
            shares: Arc::clone(self),
            client,
            amount,
            tenure,
        }
    }

    /// How much there is.
    pub fn limit(&self) -> usize {
        self.lock().limit
    }

    /// How much is held.
    pub fn held(&self) -> usize {
        self.lock().held()
    }

    /// What the metrics say about this limit, each number with a name and a meaning.
    pub fn readings(self: &Arc<Self>, metrics: &SharesMetrics) -> Vec<Reading> {
        let refused = Arc::clone(self);
        let mut readings = self.readings_of_use(metrics.held, metrics.limit);
        readings.push(Reading::counters(
            metrics.refused.0,
            metrics.refused.1,
            "reason",
            move || refused.refusals(),
        ));
        readings
    }

    /// The same of a limit that refuses nobody, because its clients can do without.
    pub fn readings_of_use(
        self: &Arc<Self>,
        held: (&'static str, &'static str),
        limit: (&'static str, &'static str),
    ) -> Vec<Reading> {
        let (now, most) = (Arc::clone(self), Arc::clone(self));
        vec![
            Reading::gauge(held.0, held.1, move || now.held() as u64),
            Reading::gauge(limit.0, limit.1, move || most.limit() as u64),
        ]
    }

    fn refusals(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("full", self.full.load(Ordering::Relaxed)),
            ("share", self.greedy.load(Ordering::Relaxed)),
        ]
    }

    fn count(&self, refusal: Refusal) {
        let counter = match refusal {
            Refusal::Full => &self.full,
            Refusal::Greedy => &self.greedy,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn held(&self) -> usize {
        self.taken.held + self.lent.held
    }

    fn free(&self) -> usize {
        self.limit.saturating_sub(self.held())
    }

    fn take(&mut self, client: Client, amount: usize) -> Result<(), Refusal> {
        if amount > self.free() {
            return Err(Refusal::Full);
        }
        if self.taken.has_its_part(client, self.limit) {
            return Err(Refusal::Greedy);
        }
        self.taken.add(client, amount);
        Ok(())
    }

    fn lend(&mut self, client: Client, amount: usize) -> bool {
        let limit = self.limit / 2;
        let fits = amount <= self.free() && amount <= limit.saturating_sub(self.lent.held);
        let is_lent = fits && !self.lent.has_its_part(client, limit);
        if is_lent {
            self.lent.add(client, amount);
        }
        is_lent
    }

    fn account(&mut self, tenure: Tenure) -> &mut Account {
        match tenure {
            Tenure::Taken => &mut self.taken,
            Tenure::Lent => &mut self.lent,
        }
    }
}

impl Account {
    /// Whether a client holds as great a part of what is left of `limit` as that is of the limit.
    fn has_its_part(&self, client: Client, limit: usize) -> bool {
        let free = limit.saturating_sub(self.held) as u128;
        let own = self.by_client.get(&client).copied().unwrap_or_default();
        own as u128 * limit as u128 > free * free
    }

    fn add(&mut self, client: Client, amount: usize) {
        *self.by_client.entry(client).or_default() += amount;
        self.held += amount;
    }

    fn give_back(&mut self, client: Client, amount: usize) {
        self.held = self.held.saturating_sub(amount);
        if let Some(own) = self.by_client.get_mut(&client) {
            *own = own.saturating_sub(amount);
            if *own == 0 {
                self.by_client.remove(&client);
            }
        }
    }
}

impl Share {
    /// Takes so much more.
    ///
    /// # Errors
    /// As [`Shares::take`]; what is held stays held.
    pub fn grow(&mut self, amount: usize) -> Result<(), Refusal> {
        let mut state = self.shares.lock();
        let grown = match self.tenure {
            Tenure::Taken => state.take(self.client, amount),
            Tenure::Lent if state.lend(self.client, amount) => Ok(()),
            Tenure::Lent => Err(Refusal::Full),
        };
        drop(state);
        grown.inspect_err(|refusal| self.shares.count(*refusal))?;
        self.amount += amount;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.shares.lock();
        state.account(self.tenure).give_back(self.client, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::of(None, [192, 0, 2, number].into())
    }

    fn taken(shares: &Arc<Shares>, client: Client) -> Vec<Share> {
        std::iter::from_fn(|| shares.take(client, 1).ok()).collect()
    }

    #[test]
    fn given_a_client_that_takes_what_it_gets_when_others_come_then_each_finds_some() {
        let shares = Arc::new(Shares::new(100));
        let first = taken(&shares, client(1));
        assert_eq!((first.len(), shares.held()), (39, 39));
        let second = taken(&shares, client(2));
        assert_eq!(second.len(), 19);
        let third = taken(&shares, client(3));
        assert_eq!(third.len(), 11);
        drop((first, second));
        assert_eq!(taken(&shares, client(4)).len(), 33);
        assert_eq!(shares.held(), 11);
        let refusals = shares.refusals();
        assert_eq!(refusals, [("full", 0), ("share", 4)]);
    }

    #[test]
    fn given_many_clients_that_take_all_they_get_when_another_comes_then_it_finds_some() {
        let shares = Arc::new(Shares::new(1024));
        let mut greedy = Vec::new();
        for number in 0..30 {
            greedy.push(taken(&shares, client(number)));
            if number == 9 {
                let free = shares.limit() - shares.held();
                assert!(free >= 1024 / 13, "ten clients leave {free}");
            }
        }
        let free = shares.limit() - shares.held();
        assert!(free >= 20, "thirty clients leave {free}");
        assert!(greedy.iter().all(|held| !held.is_empty()));
    }

    #[test]
    fn given_what_clients_can_do_without_when_much_is_lent_then_half_of_all_is_for_those_who_need_it() {
        let shares = Arc::new(Shares::new(100));
        let lend = |number| -> Vec<Share> {
            let lent = std::iter::from_fn(|| shares.lend(client(number), 1));
            lent.collect()
        };
        let borrowed: Vec<_> = (0..40).map(lend).collect();
        assert!((10..25).contains(&borrowed[0].len()), "{}", borrowed[0].len());
        assert_eq!(shares.held(), 50);
        // Who has borrowed most is refused nothing for that.
        let needed = taken(&shares, client(0));
        assert_eq!(needed.len(), 39);
        assert_eq!(taken(&shares, client(1)).len(), 11);
        assert!(shares.lend(client(50), 1).is_none());
        drop((borrowed, needed));
        assert_eq!(shares.held(), 0);
        let state = shares.lock();
        assert!(state.lent.by_client.is_empty() && state.taken.by_client.is_empty());
    }

    #[test]
    fn given_few_when_taken_then_one_client_gets_one_and_all_together_no_more_than_there_are() {
        let shares = Arc::new(Shares::new(1));
        let only = shares.take(client(1), 1).unwrap();
        assert_eq!(shares.take(client(2), 1).unwrap_err(), Refusal::Full);
        drop(only);
        drop(shares.take(client(2), 1).unwrap());
        assert!(
            shares.lock().taken.by_client.is_empty(),
            "nobody is remembered who holds nothing"
        );
    }

    #[test]
    fn given_a_limit_lowered_and_raised_while_held_then_never_more_than_the_limit_is_given() {
        let shares = Arc::new(Shares::new(20));
        let held: Vec<_> = (0..20)
            .map(|number| shares.take(client(number), 1).unwrap())
            .collect();
        shares.set_limit(5);
        assert_eq!(shares.take(client(99), 1).unwrap_err(), Refusal::Full);
        shares.set_limit(20);
        assert_eq!(shares.take(client(99), 1).unwrap_err(), Refusal::Full);
        drop(held);
        let held: Vec<_> = (0..40)
            .filter_map(|number| shares.take(client(number), 1).ok())
            .collect();
        assert_eq!(held.len(), 20);
    }

    #[test]
    fn given_a_share_when_it_grows_beyond_what_there_is_then_it_keeps_what_it_had() {
        let shares = Arc::new(Shares::new(10));
        let mut share = shares.take(client(1), 2).unwrap();
        share.grow(4).unwrap();
        assert_eq!(share.grow(5), Err(Refusal::Full));
        assert_eq!(share.grow(4), Err(Refusal::Greedy));
        assert_eq!(shares.held(), 6);
        drop(share);
        assert_eq!(shares.held(), 0);
    }
}
