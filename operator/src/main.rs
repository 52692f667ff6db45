//! The operator's program.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zot_artifact_store_operator::arguments::Arguments;
use zot_artifact_store_operator::health::{self, Health};
use zot_artifact_store_operator::leader::Leadership;
use zot_artifact_store_operator::metrics::Metrics;
use zot_artifact_store_operator::{client, controller, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let result = telemetry::start(&arguments)
        .and_then(|()| runtime.map_err(anyhow::Error::from))
        .and_then(|runtime| runtime.block_on(run(&arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the operator stopped");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // The process-wide provider of TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (health, metrics) = (Arc::new(Health::default()), Arc::new(Metrics::default()));
    health::serve(
        arguments.health_address,
        Arc::clone(&health),
        Arc::clone(&metrics),
    )
    .await?;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let fence = Leadership::fence(arguments);
    let client = client::connect(&fence).await?;
    // A replica that waits for the lease is ready to take over.
    if !arguments.no_leader_election {
        health.set_ready();
    }
    let leadership = tokio::select! {
        leadership = Leadership::acquire(fence, arguments, &metrics) => leadership?,
        () = stop.cancelled() => return Ok(()),
    };
    leadership.stop_when_lost(stop.clone(), Arc::clone(&metrics));
    let ran = controller::run(client, arguments, metrics, health, stop.clone()).await;
    stop.cancel();
    leadership.release().await;
    ran
}

fn stop_on_signals(stop: CancellationToken) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        stop.cancel();
    });
    Ok(())
}
