//! The calls of the Secret Service, as its specification has them (freedesktop.org, version 0.2), with the algorithm `plain`.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;

use secrets_client::{Credential, KeyringItem};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};
use zbus::export::futures_core::Stream as _;
use zbus::message::Type;
use zbus::{Connection, DynamicType, MatchRule, Message, MessageStream, OwnedObjectPath, OwnedVariant, Variant};
use zeroize::Zeroizing;

use super::{KeyringError, MAX_ANSWER_BYTES, UNLOCK_TIMEOUT, USE_TIMEOUT, Unlocking, bus};

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// The path that stands for none.
const NONE: &str = "/";

/// A secret on the wire: session, parameters, value, type of the content.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// A session of the keyring, of one use.
pub(super) struct SecretService {
    connection: Connection,
    /// Who answered first. No other program that takes the name meanwhile gets the token.
    owner: String,
    session: OwnedObjectPath,
    unlocking: Unlocking,
    /// The end of this use.
    deadline: Cell<Instant>,
}

impl SecretService {
    pub(super) async fn open(unlocking: Unlocking) -> Result<Self, KeyringError> {
        let deadline = Instant::now() + USE_TIMEOUT;
        let connection = until(deadline, bus::connect()).await?;
        let body = ("plain", Variant::new(""));
        let answer = until(deadline, call(&connection, NAME, PATH, SERVICE, "OpenSession", &body)).await?;
        let owner =
            answer.header().sender().map(ToString::to_string).ok_or(KeyringError::Malformed("it has no sender"))?;
        let (_, session): (OwnedVariant, OwnedObjectPath) = parse(&answer)?;
        Ok(Self { connection, owner, session, unlocking, deadline: Cell::new(deadline) })
    }

    pub(super) async fn read(&self, item: &KeyringItem) -> Result<Credential, KeyringError> {
        let path = self.find(item).await?;
        let answer = self.call(&path, ITEM, "GetSecret", &(&self.session,)).await?;
        let (_, _, value, _): Secret = parse(&answer)?;
        let value = Zeroizing::new(value);
        let text = std::str::from_utf8(&value).ok().and_then(|text| Credential::parse(text).ok());
        text.ok_or(KeyringError::Malformed("what it has is not a token"))
    }

    pub(super) async fn write(&self, item: &KeyringItem, label: &str, token: &Credential) -> Result<(), KeyringError> {
        let collection = self.default_collection().await?;
        let id = item.to_string();
        let properties: HashMap<&str, Variant<'_>> = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Variant::new(label)),
            ("org.freedesktop.Secret.Item.Attributes", Variant::new(attributes(&id))),
        ]);
        let secret = (&self.session, [0_u8; 0].as_slice(), token.expose().as_bytes(), "text/plain");
        let answer = self.call(&collection, COLLECTION, "CreateItem", &(properties, secret, true)).await?;
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) = parse(&answer)?;
        self.complete(&prompt).await
    }

    pub(super) async fn delete(&self, item: &KeyringItem) -> Result<(), KeyringError> {
        let path = self.find(item).await?;
        let prompt: OwnedObjectPath = parse(&self.call(&path, ITEM, "Delete", &()).await?)?;
        self.complete(&prompt).await
    }

    /// The collection for what is new, unlocked.
    pub(super) async fn default_collection(&self) -> Result<OwnedObjectPath, KeyringError> {
        let path: OwnedObjectPath = parse(&self.call(PATH, SERVICE, "ReadAlias", &("default",)).await?)?;
        if path.as_str() == NONE {
            return Err(KeyringError::NoCollection);
        }
        if self.is_locked(&path).await? {
            self.unlock(&path).await?;
        }
        Ok(path)
    }

    /// The path of an item, unlocked.
    async fn find(&self, item: &KeyringItem) -> Result<OwnedObjectPath, KeyringError> {
        if let Some(path) = self.search(item).await? {
            return Ok(path);
        }
        // Some keyrings do not say what a locked collection has.
        let default: OwnedObjectPath = parse(&self.call(PATH, SERVICE, "ReadAlias", &("default",)).await?)?;
        if default.as_str() == NONE || !self.is_locked(&default).await? {
            return Err(KeyringError::Gone);
        }
        self.unlock(&default).await?;
        self.search(item).await?.ok_or(KeyringError::Gone)
    }

    async fn search(&self, item: &KeyringItem) -> Result<Option<OwnedObjectPath>, KeyringError> {
        let id = item.to_string();
        let answer = self.call(PATH, SERVICE, "SearchItems", &(attributes(&id),)).await?;
        let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = parse(&answer)?;
        if let Some(path) = unlocked.into_iter().next() {
            return Ok(Some(path));
        }
        let Some(path) = locked.into_iter().next() else { return Ok(None) };
        self.unlock(&path).await?;
        Ok(Some(path))
    }

    async fn is_locked(&self, collection: &OwnedObjectPath) -> Result<bool, KeyringError> {
        let answer = self.call(collection, PROPERTIES, "Get", &(COLLECTION, "Locked")).await?;
        let locked: OwnedVariant = parse(&answer)?;
        locked.try_into().map_err(|_| KeyringError::Malformed("`Locked` is neither true nor false"))
    }

    /// Unlocks an item or a collection. Where nobody is there to be asked, the keyring is not even told to: some open a window
    /// at once.
    async fn unlock(&self, path: &OwnedObjectPath) -> Result<(), KeyringError> {
        if self.unlocking == Unlocking::Never {
            return Err(KeyringError::Locked);
        }
        let answer = self.call(PATH, SERVICE, "Unlock", &([path].as_slice(),)).await?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = parse(&answer)?;
        self.complete(&prompt).await
    }

    /// Waits for what the keyring asks a person, if it asks.
    async fn complete(&self, prompt: &OwnedObjectPath) -> Result<(), KeyringError> {
        if prompt.as_str() == NONE {
            return Ok(());
        }
        if self.unlocking == Unlocking::Never {
            return Err(KeyringError::Locked);
        }
        let completed = MatchRule::builder().msg_type(Type::Signal).sender(self.owner.as_str()).path(prompt);
        let completed = completed.interface(PROMPT).member("Completed").build();
        let completed = completed.map_err(|_| KeyringError::Malformed("its prompt has no valid path"))?;
        let listening = MessageStream::for_match_rule(completed, &self.connection, None);
        let mut signals = until(self.deadline.get(), async { listening.await.map_err(failed) }).await?;
        self.call(prompt, PROMPT, "Prompt", &("",)).await?;
        eprintln!("Your keyring asks for its password in a window of its own (for {} s).", UNLOCK_TIMEOUT.as_secs());
        let signal = timeout(UNLOCK_TIMEOUT, poll_fn(|context| Pin::new(&mut signals).poll_next(context))).await;
        self.deadline.set(Instant::now() + USE_TIMEOUT);
        let Ok(signal) = signal else {
            let _ = self.call(prompt, PROMPT, "Dismiss", &()).await;
            return Err(KeyringError::NotUnlocked);
        };
        let signal =
            signal.and_then(Result::ok).ok_or(KeyringError::Malformed("the session bus closed the connection"))?;
        let (dismissed, _): (bool, OwnedVariant) = parse(&signal)?;
        if dismissed { Err(KeyringError::NotUnlocked) } else { Ok(()) }
    }

    async fn call(
        &self,
        path: &str,
        interface: &'static str,
        member: &'static str,
        body: &(impl Serialize + DynamicType),
    ) -> Result<Message, KeyringError> {
        until(self.deadline.get(), call(&self.connection, &self.owner, path, interface, member, body)).await
    }
}

fn attributes(id: &str) -> HashMap<&str, &str> {
    HashMap::from([("xdg:schema", "org.freedesktop.Secret.Generic"), ("application", "secrets"), ("secrets-item", id)])
}

async fn call(
    connection: &Connection,
    destination: &str,
    path: &str,
    interface: &'static str,
    member: &'static str,
    body: &(impl Serialize + DynamicType),
) -> Result<Message, KeyringError> {
    let answer =
        connection.call_method(Some(destination), path, Some(interface), member, body).await.map_err(failed)?;
    if answer.body().len() > MAX_ANSWER_BYTES {
        return Err(KeyringError::Malformed("it is too large"));
    }
    Ok(answer)
}

async fn until<T>(deadline: Instant, work: impl Future<Output = Result<T, KeyringError>>) -> Result<T, KeyringError> {
    timeout_at(deadline, work).await.unwrap_or(Err(KeyringError::TimedOut))
}

fn parse<T: for<'a> zbus::wire::DynamicDeserialize<'a>>(answer: &Message) -> Result<T, KeyringError> {
    answer.body().deserialize().map_err(|_| KeyringError::Malformed("it has another form than the Secret Service's"))
}

/// What an error means. Its text is the service's own, and may hold anything.
fn failed(error: zbus::Error) -> KeyringError {
    use zbus::fdo::Error::{
        NameHasNoOwner, NoReply, ServiceUnknown, SpawnExecFailed, SpawnFailed, SpawnServiceNotFound, UnknownObject,
    };
    match error {
        zbus::Error::MethodError(name, _, _) => match name.as_str() {
            "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
            "org.freedesktop.Secret.Error.NoSuchObject" => KeyringError::Gone,
            name => KeyringError::Refused(name.to_owned()),
        },
        zbus::Error::FDO(error) => match *error {
            NameHasNoOwner(_) | ServiceUnknown(_) => KeyringError::NoService,
            SpawnExecFailed(_) | SpawnFailed(_) | SpawnServiceNotFound(_) => KeyringError::NoService,
            UnknownObject(_) => KeyringError::Gone,
            NoReply(_) => KeyringError::TimedOut,
            error => KeyringError::Refused(zbus::DBusError::name(&error).to_string()),
        },
        zbus::Error::InputOutput(_) => KeyringError::NoBus("the session bus closed the connection".to_owned()),
        _ => KeyringError::Malformed("it is not a message of D-Bus"),
    }
}
