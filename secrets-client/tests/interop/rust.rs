use super::running::Run;
use super::scenario::Scenario;
use super::test_server::TestServer;

#[tokio::test]
async fn rust_runs_the_scenario() {
    let service = TestServer::start();
    Run::against(&service).whole(&Scenario::read()).await.unwrap();
}
