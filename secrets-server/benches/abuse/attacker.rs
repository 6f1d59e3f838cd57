//! An attacker as a process of its own, on a processor of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use tokio::net::TcpListener;

use crate::Result;
use crate::attack::Attack;
use crate::processor;
use crate::target::Target;

/// What an attacker goes against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    Server,
    /// A port of its own, where every connection is closed at once.
    DroppingPort,
}

/// A running attacker; ends with this value.
pub(crate) struct Attacker(Child);

impl Attacker {
    pub(crate) fn start(attack: Attack, target: &Target, against: Against) -> Result<Self> {
        let target = Target { dropping: against == Against::DroppingPort, ..target.clone() };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--attack", &attack.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut attacker = Self(command.spawn()?);
        // The pipe stays open in the child's handle: its end is the attacker's, even if this process is killed.
        let input = attacker.0.stdin.as_mut().ok_or("the attacker has no standard input")?;
        writeln!(input, "{}", serde_json::to_string(&target)?)?;
        let output = attacker.0.stdout.as_mut().ok_or("the attacker has no standard output")?;
        let mut ready = String::new();
        BufReader::new(output).read_line(&mut ready)?;
        if ready.trim() != "ready" {
            return Err(format!("the attacker `{attack}` did not begin").into());
        }
        Ok(attacker)
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Attacks until standard input ends.
pub(crate) fn run(attack: Attack) -> Result<()> {
    processor::pin(processor::ATTACKER)?;
    rustix::process::nice(19)?;
    secrets_server::process::descriptors::raise_limit()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let mut target: Target = serde_json::from_str(&line)?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        if target.dropping {
            target.ports = vec![drop_connections().await?];
        }
        println!("ready");
        attack.run(target).await;
        Ok(())
    })
}

/// Closes every connection to a new port, which is returned.
async fn drop_connections() -> Result<u16> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        loop {
            let _ = listener.accept().await;
        }
    });
    Ok(port)
}
