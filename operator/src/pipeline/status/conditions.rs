//! The conditions: each a function of what is there.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use zas_crd::ConditionReason as Reason;
use zas_crd::ConditionType as Type;

use super::address;
use super::{Input, Outcome, Wait};
use crate::answers;
use crate::children::ChildKind;
use crate::pipeline::orphans::is_settled;
use crate::pipeline::plan::Component;
use crate::problem::Problem;

/// Longest message of a condition, in characters; Kubernetes allows 32,768.
const MAX_MESSAGE_BYTES: usize = 4096;

/// What a condition says.
#[derive(Debug)]
struct Verdict {
    holds: bool,
    reason: Reason,
    message: String,
}

impl Verdict {
    fn new(holds: bool, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            holds,
            reason,
            message: message.into(),
        }
    }
}

/// All conditions, with the times of those in `before` whose status stays.
pub(super) fn of(input: Input<'_>, before: &[Condition]) -> Vec<Condition> {
    let available = available(input);
    let progressing = progressing(input);
    let degraded = degraded(input);
    let ready = ready(input, &available, &progressing, &degraded);
    let verdicts = [
        (Type::Ready, ready),
        (Type::Available, available),
        (Type::Progressing, progressing),
        (Type::Degraded, degraded),
        (Type::Paused, paused(input)),
        (Type::UpdateAvailable, update_available(input)),
        (Type::ExposureReady, exposure_ready(input)),
        (Type::StorageReady, storage_ready(input)),
    ];
    verdicts
        .into_iter()
        .map(|(kind, verdict)| condition(kind, &verdict, input, before))
        .collect()
}

fn condition(kind: Type, verdict: &Verdict, input: Input<'_>, before: &[Condition]) -> Condition {
    let status = if verdict.holds { "True" } else { "False" };
    let since = before
        .iter()
        .find(|condition| condition.type_ == kind.as_str() && condition.status == status)
        .map_or_else(
            || Time(seconds(input.now)),
            |condition| condition.last_transition_time.clone(),
        );
    Condition {
        type_: kind.as_str().to_owned(),
        status: status.to_owned(),
        reason: verdict.reason.as_str().to_owned(),
        message: verdict.message.chars().take(MAX_MESSAGE_BYTES).collect(),
        observed_generation: input.resource.metadata.generation,
        last_transition_time: since,
    }
}

/// Kubernetes keeps whole seconds: a finer time would come back different and be written again.
fn seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn is_stopped(input: Input<'_>) -> bool {
    input.resource.spec.replicas == 0
}

fn available(input: Input<'_>) -> Verdict {
    match input.deployment() {
        Some((facts, _)) if facts.available > 0 => Verdict::new(
            true,
            Reason::AsExpected,
            format!("{} of {} servers take requests", facts.available, facts.wanted),
        ),
        _ if is_stopped(input) => Verdict::new(
            false,
            Reason::Stopped,
            "the store is stopped: set spec.replicas to 1 to start it",
        ),
        _ => Verdict::new(false, Reason::NoReadyReplicas, "no server takes requests"),
    }
}

fn progressing(input: Input<'_>) -> Verdict {
    let still = |reason, message: &str| Verdict::new(true, reason, message);
    let unchanged = |problem: Option<&Problem>| {
        Verdict::new(
            false,
            problem.map_or(Reason::InvalidSpec, |problem| problem.reason),
            "the server is not changed until the problem is solved: see Degraded",
        )
    };
    let carried_out = match input.outcome {
        Outcome::Paused => return Verdict::new(false, Reason::Paused, "spec.paused is true"),
        Outcome::Blocked(problems) => return unchanged(problems.first()),
        Outcome::CarriedOut(carried_out) => carried_out,
    };
    if let Some(verdict) = carried_out.wait.as_ref().map(waiting) {
        return verdict;
    }
    if let Some(key) = carried_out.terminating.first() {
        let message = format!(
            "{} {} is being deleted, and is made again when it is gone",
            key.kind.name(),
            key.name
        );
        return still(Reason::ObjectTerminating, &message);
    }
    if !carried_out.plans.of(Component::Workload).is_ready() {
        return unchanged(carried_out.plans.problems().first());
    }
    let Some((facts, generation)) = input.deployment() else {
        return still(Reason::Starting, "the first server is being started");
    };
    if let Some(stuck) = &facts.stuck {
        return Verdict::new(false, Reason::ProgressDeadlineExceeded, stuck.clone());
    }
    if !is_settled(facts, generation.max(carried_out.applied_generation)) {
        let reason = if facts.available == 0 && facts.updated == facts.replicas {
            Reason::Starting
        } else {
            Reason::RollingOut
        };
        return still(
            reason,
            &format!(
                "{} of {} servers run the newest configuration and take requests",
                facts.updated.min(facts.available),
                facts.wanted
            ),
        );
    }
    Verdict::new(false, Reason::AsExpected, "everything is as the spec asks")
}

fn waiting(wait: &Wait) -> Verdict {
    match wait {
        Wait::Queued => Verdict::new(
            true,
            Reason::RolloutQueued,
            "the restart waits until other stores have restarted",
        ),
        Wait::Halted(why) => Verdict::new(
            true,
            Reason::RolloutHalted,
            format!(
                "the restart waits because {why}. Put that store right, or state spec.version of this one to restart it \
                 nevertheless"
            ),
        ),
    }
}

fn problems(input: Input<'_>) -> Vec<Problem> {
    let mut problems = match input.outcome {
        Outcome::Paused => Vec::new(),
        Outcome::Blocked(problems) => problems.clone(),
        Outcome::CarriedOut(carried_out) => {
            let planned = carried_out.plans.problems().into_iter();
            planned.chain(carried_out.problems.iter().cloned()).collect()
        }
    };
    if let Some((facts, _)) = input.deployment() {
        if let Some(failure) = &facts.failure {
            let reason = if answers::misses_service_account(failure) {
                Reason::ServiceAccountMissing
            } else {
                Reason::PodFailing
            };
            problems.push(Problem::new(
                reason,
                format!("the Pod cannot be created: {failure}"),
            ));
        }
        // Whatever is wrong with the Pod says more.
        if let Some(stuck) = facts.stuck.as_ref().filter(|_| problems.is_empty()) {
            problems.push(Problem::new(Reason::ProgressDeadlineExceeded, stuck.clone()));
        }
    }
    if let Some((_, facts)) = input.claim()
        && let Some(failure) = &facts.resize_failure
    {
        let message = format!("claim {} cannot grow: {failure}", input.claim_name());
        problems.push(Problem::new(Reason::VolumeExpansionRefused, message));
    }
    if input.claim().is_some_and(|(_, facts)| facts.is_lost) {
        problems.push(Problem::new(Reason::VolumeLost, lost(&input.claim_name())));
    }
    if let Some(refusal) = address::route(input).and_then(|facts| facts.refusal.as_ref()) {
        problems.push(Problem::new(
            Reason::RouteNotAdmitted,
            format!("the router refuses the Route: {refusal}"),
        ));
    }
    problems
}

fn degraded(input: Input<'_>) -> Verdict {
    let problems = problems(input);
    match problems.first() {
        None => Verdict::new(false, Reason::AsExpected, "nothing is wrong"),
        Some(first) => {
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            Verdict::new(true, first.reason, messages.join("; "))
        }
    }
}

fn ready(input: Input<'_>, available: &Verdict, progressing: &Verdict, degraded: &Verdict) -> Verdict {
    if is_stopped(input) && !degraded.holds {
        return Verdict::new(
            false,
            Reason::Stopped,
            "the store is stopped: set spec.replicas to 1 to start it",
        );
    }
    let exposure = exposure_ready(input);
    for (is_against, verdict) in [
        (degraded.holds, degraded),
        (!available.holds, available),
        (progressing.holds, progressing),
        (!exposure.holds, &exposure),
    ] {
        if is_against {
            return Verdict::new(false, verdict.reason, verdict.message.clone());
        }
    }
    Verdict::new(true, Reason::AsExpected, "the store serves as the spec asks")
}

fn paused(input: Input<'_>) -> Verdict {
    match input.outcome {
        Outcome::Paused => Verdict::new(
            true,
            Reason::Paused,
            "spec.paused is true: nothing but the status is written",
        ),
        _ => Verdict::new(false, Reason::Active, "the operator looks after the store"),
    }
}

fn update_available(input: Input<'_>) -> Verdict {
    match input.pending_update {
        Some(version) => Verdict::new(
            true,
            Reason::UpdateAvailable,
            format!("set spec.version to {version} to update"),
        ),
        None => Verdict::new(false, Reason::UpToDate, "no newer version waits"),
    }
}

fn exposure_ready(input: Input<'_>) -> Verdict {
    let plans = input.carried_out().map(|carried_out| &carried_out.plans);
    let problem = plans.and_then(|plans| {
        let components = [Component::Route, Component::Ingress].into_iter();
        components
            .flat_map(|component| plans.of(component).problems())
            .next()
    });
    if let Some(problem) = problem {
        return Verdict::new(false, problem.reason, problem.message.clone());
    }
    if input.expects(Component::Route, ChildKind::Route) {
        let facts = address::route(input);
        if facts.is_none_or(|facts| facts.admitted_host.is_none()) {
            let refusal = facts.and_then(|facts| facts.refusal.clone());
            let message = refusal.unwrap_or_else(|| "the Route waits for the router".to_owned());
            return Verdict::new(false, Reason::RouteNotAdmitted, message);
        }
    }
    if input.expects(Component::Ingress, ChildKind::Ingress)
        && address::ingress(input).is_none_or(|facts| !facts.has_address)
    {
        return Verdict::new(
            false,
            Reason::IngressPending,
            "the Ingress has no address yet: is there a controller for its class?",
        );
    }
    if address::wants_load_balancer(input)
        && address::service(input).is_none_or(|facts| facts.load_balancer.is_none())
    {
        return Verdict::new(
            false,
            Reason::LoadBalancerPending,
            "the load balancer has no address yet",
        );
    }
    Verdict::new(
        true,
        Reason::AsExpected,
        "the store can be reached as the spec asks",
    )
}

fn storage_ready(input: Input<'_>) -> Verdict {
    let expected = || {
        Verdict::new(
            true,
            Reason::AsExpected,
            "the claim is bound and has the size that was asked for",
        )
    };
    if let Some(problem) = storage_problem(input) {
        return Verdict::new(false, problem.reason, problem.message.clone());
    }
    let name = input.claim_name();
    let Some((_, facts)) = input.claim() else {
        return Verdict::new(
            false,
            Reason::VolumePending,
            format!("claim {name} is not there yet"),
        );
    };
    if facts.is_lost {
        return Verdict::new(false, Reason::VolumeLost, lost(&name));
    }
    if !facts.is_bound {
        let class = facts.storage_class.as_deref().map_or_else(
            || "the cluster has no default storage class, or its volumes wait for the Pod".to_owned(),
            |class| format!("does storage class {class} exist, and has it volumes?"),
        );
        return Verdict::new(
            false,
            Reason::VolumePending,
            format!("claim {name} waits for a volume: {class}"),
        );
    }
    if facts.resize_failure.is_some() {
        return Verdict::new(
            false,
            Reason::VolumeExpansionRefused,
            format!("claim {name} cannot grow: see Degraded"),
        );
    }
    let bytes = |text: &Option<String>| {
        text.clone()
            .and_then(|text| zas_crd::Size::new(text).bytes().ok())
    };
    match (bytes(&facts.requested), bytes(&facts.capacity)) {
        (Some(requested), Some(capacity)) if capacity < requested => {
            Verdict::new(false, Reason::VolumeResizing, format!("claim {name} grows"))
        }
        _ => expected(),
    }
}

/// What is wrong with the claim: planned, or told by the cluster when it was asked to grow.
fn storage_problem(input: Input<'_>) -> Option<&Problem> {
    let carried_out = input.carried_out()?;
    let planned = carried_out.plans.of(Component::Storage).problems().first();
    planned.or_else(|| {
        let is_growth = |problem: &&Problem| problem.reason == Reason::VolumeExpansionRefused;
        carried_out.problems.iter().find(is_growth)
    })
}

fn lost(claim: &str) -> String {
    format!(
        "claim {claim} has lost its volume: restore the volume, or delete the claim to begin with an empty one"
    )
}
