use super::scenario::Scenario;
use super::scenario_run::ScenarioRun;
use crate::support::TlsServer;

#[tokio::test]
async fn rust_runs_the_scenario() {
    let server = TlsServer::start();
    Box::pin(ScenarioRun::new(&server).run(&Scenario::read())).await.unwrap();
}
