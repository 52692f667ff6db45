//! One look at a store, step by step: dereference, plan, apply, sweep, report.

pub mod access_control;
pub mod apply;
pub mod dereference;
pub mod diagnosis;
pub mod operand;
pub mod orphans;
pub mod plan;
pub mod rules;
pub mod secret_facts;
pub mod server_configuration;
pub mod status;
