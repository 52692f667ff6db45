//! The model: which steps a state allows, and what each does.

use stateright::{Model, Property};

use crate::properties;
use crate::rules::{Rule, Rules};
use crate::scenario::{Ask, Scenario, Worker};
use crate::state::{Budget, Client, File, Link, Location, Promises, Rows, State, UPLOADS, Work, WorkerState};
use crate::witness::{Event, Witness};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Time passes.
    Tick,
    /// A client sends its next request to a replica.
    Ask {
        /// Who.
        client: u8,
        /// To whom.
        replica: u8,
    },
    /// The same, but the answer is lost.
    AskUnheard {
        /// Who.
        client: u8,
        /// To whom.
        replica: u8,
    },
    /// A client does not wait for its answer any more; the request goes on.
    GiveUp(usize),
    /// A request takes its next step.
    Step(usize),
    /// A request that nobody waits for ends, because a successor wants its upload.
    Yield(usize),
    /// A worker takes its next step; an idle one begins with this name, repository or upload.
    Work(usize, u8),
    /// A replica stops and starts again.
    Crash(u8),
    /// Everything stops, what is not on the disk is lost, and all starts again.
    PowerLoss,
    /// A write of the metadata store fails, which opens its database again; requests go on.
    Reopen,
}

/// The protocol in a scenario.
#[derive(Debug)]
pub struct Protocol {
    /// The rules in force.
    pub rules: Rules,
    /// The world.
    pub scenario: Scenario,
    /// The only property to look at, if not all.
    pub only: Option<&'static str>,
    /// What happened.
    pub witness: &'static Witness,
}

impl Protocol {
    /// Notes that something happened.
    pub fn saw(&self, event: Event) {
        self.witness.note(event);
    }

    /// What a client asks for next.
    pub fn next_ask(&self, client: u8, state: &Client) -> Option<Ask> {
        let program = self.scenario.clients[usize::from(client)];
        program.get(usize::from(state.at)).copied()
    }

    /// Whether all clients are done and nothing is under way.
    pub fn is_quiet(&self, state: &State) -> bool {
        let mut clients = (0..).zip(&state.clients);
        state.tasks.is_empty()
            && state.workers.iter().all(|place| *place == WorkerState::Idle)
            && clients.all(|(index, client)| self.next_ask(index, client).is_none())
    }

    fn crash(&self, state: &mut State, replica: u8) {
        for task in state.tasks.extract_if(.., |task| task.replica == replica) {
            if task.is_heard {
                state.clients[usize::from(task.client)].is_waiting = false;
            }
            if matches!(task.work, Work::Write { .. }) {
                self.witness.note(Event::CrashedInUpload);
            }
        }
        for (worker, place) in self.scenario.workers.iter().zip(&mut state.workers) {
            if worker.replica() == replica {
                *place = WorkerState::Idle;
            }
        }
    }

    fn lose_power(&self, state: &mut State) {
        for replica in 0..self.scenario.replicas {
            self.crash(state, replica);
        }
        self.lose_notes(state);
        for file in &mut state.files {
            if file.cached != file.durable {
                self.saw(Event::BytesLost);
            }
            file.lose_power();
        }
    }

    /// The metadata store starts again without what did not reach the disk.
    fn lose_notes(&self, state: &mut State) {
        if state.rows.uploads != state.synced_uploads {
            self.saw(Event::ClaimLost);
        }
        state.rows.uploads = state.synced_uploads;
        state.rows.locations = state.synced_locations;
        if self.rules.has(Rule::NameIsNew) {
            state.start += 1;
        }
    }

    /// What a tick does besides moving the time.
    fn tick(&self, state: &mut State) {
        state.now += 1;
        for answered in &mut state.promises.answered {
            *answered = answered.filter(|at| at + self.scenario.grace > state.now);
        }
        for upload in 0..UPLOADS {
            let is_running = self.rules.has(Rule::RunningTouches)
                && (0..self.scenario.replicas).any(|replica| Self::is_writing(state, upload as u8, replica));
            if let Some(row) = &mut state.rows.uploads[upload] {
                row.is_idle = !is_running;
            }
            if let Some(row) = &mut state.synced_uploads[upload] {
                row.is_idle = true;
            }
        }
    }

    fn first_state(&self) -> State {
        let mut rows = Rows::default();
        let mut files = [File::default(); _];
        let mut promises = Promises::default();
        let mut next_upload = 0;
        if let Some(stored) = self.scenario.stored {
            let name = self.first_name_of(0);
            next_upload = 1;
            rows.blob = Some([name; _]);
            rows.locations[usize::from(name)] = Some(Location::Live);
            rows.links[0] = Some(Link {
                lease_until: stored.lease_until,
                upload: Some(0),
            });
            if stored.is_referenced {
                rows.edges[0] = 1;
                rows.manifests[0] = 1;
                rows.tags[0] = Some(0);
                promises.owed[0] = 1;
            } else {
                rows.due[0] = 1 << stored.lease_until;
            }
            for chunk in 0..self.scenario.chunks {
                Self::put_chunk(&mut files[usize::from(name)], chunk, chunk as u8);
            }
            files[usize::from(name)].durable = files[usize::from(name)].cached;
        }
        State {
            now: 0,
            next_upload,
            synced_uploads: rows.uploads,
            synced_locations: rows.locations,
            rows,
            start: 0,
            files,
            clients: vec![Client::default(); self.scenario.clients.len()],
            tasks: Vec::new(),
            workers: vec![WorkerState::Idle; self.scenario.workers.len()],
            budget: Budget {
                losses: self.scenario.losses,
                crashes: self.scenario.crashes,
                power: self.scenario.power,
                reopenings: self.scenario.reopenings,
            },
            promises,
        }
    }

    fn client_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (client, place) in (0..).zip(&state.clients) {
            let Some(ask) = self.next_ask(client, place) else {
                continue;
            };
            if place.is_waiting {
                continue;
            }
            for replica in 0..self.scenario.replicas {
                actions.push(Action::Ask { client, replica });
                // Which replica answers in one step makes no difference.
                if self.is_at_once(ask) {
                    break;
                }
            }
            if state.budget.losses > 0 && self.is_at_once(ask) {
                actions.push(Action::AskUnheard { client, replica: 0 });
            }
        }
        for (index, task) in state.tasks.iter().enumerate() {
            if self.can_step(state, task) {
                actions.push(Action::Step(index));
            }
            if task.is_heard && state.budget.losses > 0 {
                actions.push(Action::GiveUp(index));
            }
            if Self::can_yield(state, task) {
                actions.push(Action::Yield(index));
            }
        }
    }

    fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Tick => self.tick(state),
            Action::Ask { client, replica } => self.ask(state, client, replica, true),
            Action::AskUnheard { client, replica } => {
                state.budget.losses -= 1;
                self.ask(state, client, replica, false);
            }
            Action::GiveUp(index) => {
                state.budget.losses -= 1;
                let task = &mut state.tasks[index];
                task.is_heard = false;
                state.clients[usize::from(task.client)].is_waiting = false;
            }
            Action::Step(index) => {
                let task = state.tasks.remove(index);
                self.step(state, task);
            }
            Action::Yield(index) => {
                state.tasks.remove(index);
                self.saw(Event::Succeeded);
            }
            Action::Work(index, choice) => self.work(state, index, choice),
            Action::Crash(replica) => {
                state.budget.crashes -= 1;
                self.crash(state, replica);
            }
            Action::PowerLoss => {
                state.budget.power -= 1;
                self.lose_power(state);
            }
            Action::Reopen => {
                state.budget.reopenings -= 1;
                self.lose_notes(state);
            }
        }
        state.tasks.sort_unstable();
    }

    /// A crash that nobody would notice is no step.
    fn is_busy(&self, state: &State, replica: u8) -> bool {
        let mut workers = self.scenario.workers.iter().zip(&state.workers);
        state.tasks.iter().any(|task| task.replica == replica)
            || workers.any(|(worker, place)| worker.replica() == replica && *place != WorkerState::Idle)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.first_state()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.client_actions(state, actions);
        for (index, worker) in self.scenario.workers.iter().enumerate() {
            self.work_choices(state, index, *worker, |choice| {
                actions.push(Action::Work(index, choice));
            });
        }
        if state.now < self.scenario.end {
            actions.push(Action::Tick);
        }
        if state.budget.crashes > 0 {
            let replicas = 0..self.scenario.replicas;
            actions.extend(
                replicas
                    .filter(|replica| self.is_busy(state, *replica))
                    .map(Action::Crash),
            );
        }
        if state.budget.power > 0 {
            actions.push(Action::PowerLoss);
        }
        if state.budget.reopenings > 0 && state.rows.uploads != state.synced_uploads {
            actions.push(Action::Reopen);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.apply(&mut next, action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = properties::all();
        all.retain(|property| self.only.is_none_or(|only| only == property.name));
        all
    }
}

/// A worker in words.
pub fn worker_name(worker: Worker) -> String {
    let (kind, replica) = match worker {
        Worker::Collector(replica) => ("collector", replica),
        Worker::Deleter(replica) => ("deleter", replica),
        Worker::Sweeper(replica) => ("sweep", replica),
        Worker::Expirer(replica) => ("expiry", replica),
    };
    format!("{kind} of replica {replica}")
}
