use super::running::Run;
use super::scenario::Scenario;
use super::service::Service;

#[tokio::test]
async fn rust_runs_the_scenario() {
    let service = Service::start();
    Run::against(&service).whole(&Scenario::read()).await.unwrap();
}
