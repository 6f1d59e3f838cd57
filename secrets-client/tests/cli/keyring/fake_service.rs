//! A Secret Service on a session bus of its own.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{BufRead as _, BufReader};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use tempfile::TempDir;
use zbus::connection::Builder;
use zbus::export::futures_core::Stream as _;
use zbus::message::{Header, Type};
use zbus::{Connection, Message, MessageStream, OwnedObjectPath, OwnedVariant, Variant};

const SESSION: &str = "/org/freedesktop/secrets/session/s1";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/p1";

/// How the service answers a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    AnotherType,
    Error,
    /// Only for the secret.
    Bytes(&'static [u8]),
    TooLarge,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) items: Vec<Item>,
    pub(super) is_locked: bool,
    pub(super) hides_locked_items: bool,
    pub(super) dismisses_prompts: bool,
    /// The members that were called.
    pub(super) calls: Vec<String>,
    pub(super) hostile: HashMap<&'static str, Answer>,
    created: usize,
}

pub(super) struct Item {
    path: String,
    attributes: HashMap<String, String>,
    pub(super) label: String,
    pub(super) value: Vec<u8>,
}

/// A session bus. Dropped, it ends.
pub(super) struct SessionBus {
    directory: TempDir,
    daemon: Child,
}

pub(super) struct FakeService {
    pub(super) bus: SessionBus,
    state: Arc<Mutex<State>>,
}

impl SessionBus {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("bus.conf");
        // No service directories: nothing of this machine is started.
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            directory.path().join("bus").display()
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon");
        daemon.arg(format!("--config-file={}", config.display())).args(["--nofork", "--print-address"]);
        let mut daemon = daemon.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("unix:path="), "{line}");
        Self { directory, daemon }
    }

    pub(super) fn address(&self) -> String {
        format!("unix:path={}", self.directory.path().join("bus").display())
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl FakeService {
    pub(super) fn start() -> Self {
        let bus = SessionBus::start();
        let state = Arc::new(Mutex::new(State::default()));
        let (address, shared) = (bus.address(), Arc::clone(&state));
        let (ready, is_ready) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let connection = Builder::address(address.as_str()).build().await.unwrap();
                let mut messages = MessageStream::from(&connection);
                connection.request_name("org.freedesktop.secrets").await.unwrap();
                ready.send(()).unwrap();
                while let Some(Ok(message)) = poll_fn(|context| Pin::new(&mut messages).poll_next(context)).await {
                    if message.message_type() == Type::MethodCall {
                        let _ = answer(&connection, &shared, &message).await; // who asked may be gone
                    }
                }
            });
        });
        is_ready.recv_timeout(Duration::from_secs(20)).unwrap();
        Self { bus, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

async fn answer(connection: &Connection, state: &Mutex<State>, message: &Message) -> zbus::Result<()> {
    let header = message.header();
    let member = header.member().unwrap().to_string();
    let hostile = {
        let mut state = state.lock().unwrap();
        state.calls.push(member.clone());
        state.hostile.get(member.as_str()).copied()
    };
    let session = OwnedObjectPath::try_from(SESSION)?;
    match hostile {
        None => act(connection, state, message, &header, &member).await,
        Some(Answer::Nothing) => Ok(()),
        Some(Answer::AnotherType) => connection.reply(&header, &("canary", 7_u32, vec![1_u8])).await,
        Some(Answer::Error) => connection.reply_error(&header, "org.example.Error.Canary", &"sper_canary").await,
        Some(Answer::Bytes(value)) => {
            connection.reply(&header, &((session, Vec::<u8>::new(), value.to_vec(), "text/plain"),)).await
        }
        Some(Answer::TooLarge) => {
            connection.reply(&header, &((session, Vec::<u8>::new(), vec![b'a'; 1 << 20], "text/plain"),)).await
        }
    }
}

async fn act(
    connection: &Connection,
    state: &Mutex<State>,
    message: &Message,
    header: &Header<'_>,
    member: &str,
) -> zbus::Result<()> {
    let path = |text: &str| OwnedObjectPath::try_from(text).unwrap();
    let own = header.path().unwrap().to_string();
    let is_locked = state.lock().unwrap().is_locked;
    match member {
        "OpenSession" => connection.reply(header, &(Variant::new(""), path(SESSION))).await,
        "ReadAlias" => connection.reply(header, &path(COLLECTION)).await,
        "Get" => connection.reply(header, &Variant::new(is_locked)).await,
        "SearchItems" => {
            let body = message.body();
            let wanted: HashMap<String, String> = body.deserialize()?;
            let found: Vec<OwnedObjectPath> = {
                let state = state.lock().unwrap();
                let fits = |item: &&Item| wanted.iter().all(|(key, value)| item.attributes.get(key) == Some(value));
                let shown = if is_locked && state.hides_locked_items { &[] } else { state.items.as_slice() };
                shown.iter().filter(fits).map(|item| path(&item.path)).collect()
            };
            let none = Vec::<OwnedObjectPath>::new();
            let answer = if is_locked { (none, found) } else { (found, none) };
            connection.reply(header, &answer).await
        }
        "Unlock" => {
            let prompt = if is_locked { PROMPT } else { "/" };
            connection.reply(header, &(Vec::<OwnedObjectPath>::new(), path(prompt))).await
        }
        "Prompt" => {
            connection.reply(header, &()).await?;
            let dismissed = {
                let mut state = state.lock().unwrap();
                state.is_locked = state.dismisses_prompts;
                state.dismisses_prompts
            };
            let body = (dismissed, Variant::new(""));
            let no_destination = None::<&str>;
            connection.emit_signal(no_destination, PROMPT, "org.freedesktop.Secret.Prompt", "Completed", &body).await
        }
        _ if is_locked => connection.reply_error(header, "org.freedesktop.Secret.Error.IsLocked", &"").await,
        "CreateItem" => {
            type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);
            let body = message.body();
            let (mut properties, secret, _): (HashMap<String, OwnedVariant>, Secret, bool) = body.deserialize()?;
            let mut property = |name: &str| properties.remove(&format!("org.freedesktop.Secret.Item.{name}")).unwrap();
            let attributes = HashMap::try_from(property("Attributes"))?;
            let label = String::try_from(property("Label"))?;
            let created = {
                let mut state = state.lock().unwrap();
                state.created += 1;
                let path = format!("{COLLECTION}/{}", state.created);
                state.items.push(Item { path: path.clone(), attributes, label, value: secret.2 });
                path
            };
            connection.reply(header, &(path(&created), path("/"))).await
        }
        "GetSecret" => {
            let value = {
                let state = state.lock().unwrap();
                state.items.iter().find(|item| item.path == own).unwrap().value.clone()
            };
            connection.reply(header, &((path(SESSION), Vec::<u8>::new(), value, "text/plain"),)).await
        }
        "Delete" => {
            state.lock().unwrap().items.retain(|item| item.path != own);
            connection.reply(header, &path("/")).await
        }
        other => panic!("unexpected call {other}"),
    }
}
