use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::from_variables([("HOME", "/home/ann")].into_iter().chain(variables.iter().copied()))
}

fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Config, InvalidConfig> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.toml");
    std::fs::write(&path, file).unwrap();
    Config::load(&Flags { config: Some(path), ..flags }, &environment(variables))
}

fn error(file: &str, variables: &[(&str, &str)], flags: Flags) -> String {
    load(file, variables, flags).unwrap_err().to_string()
}

#[test]
fn needs_no_configuration() {
    let config = Config::load(&Flags::default(), &environment(&[])).unwrap();
    assert_eq!(config.data_dir, Path::new("/home/ann/.local/share/secrets"));
    assert_eq!(config.database, Database::Sqlite { path: config.data_dir.join("secrets.db") });
    assert_eq!(config.root_key_file, config.data_dir.join("root-key"));
    assert_eq!(config.limits, Limits::default());
    assert_eq!((config.log, config.session_period), (LogConfig::default(), DAY * 7));
    assert_eq!(config.retention, Retention::default());
    let [listener] = config.listeners.as_slice() else { panic!("one listener") };
    assert_eq!(listener.address.to_string(), "127.0.0.1:50051");
    assert_eq!(listener.offered, Offered::all());
    assert_eq!(listener.tls, None);
}

#[test]
fn each_layer_covers_the_one_below() {
    let file = "data_dir = '/file'\nlisten = '127.0.0.1:1'\n[log]\nlevel = 'warn'\nformat = 'json'";
    let variables = [("SECRETS__DATA_DIR", "/environment"), ("SECRETS__LISTEN", "127.0.0.1:2")];
    let flags = Flags { data_dir: Some("/flag".into()), ..Flags::default() };

    let config = load(file, &variables, flags).unwrap();
    assert_eq!(config.data_dir, Path::new("/flag"));
    assert_eq!(config.listeners.first().unwrap().address.port(), 2);
    assert_eq!(config.log, LogConfig { level: LogLevel::Warn, format: LogFormat::Json });
}

#[test]
fn several_listeners_offer_what_they_are_told() {
    let config = load(
        "[[listeners]]\naddress = '127.0.0.1:1'\n[[listeners]]\naddress = '10.0.0.1:2'\nservices = ['resolve']\n\
         tls = { cert = 'c.pem', key = 'k.pem' }",
        &[],
        Flags::default(),
    )
    .unwrap();
    let [first, second] = config.listeners.as_slice() else { panic!("two listeners") };
    assert_eq!(first.offered, Offered::all());
    assert!(second.offered.contains(OfferedService::Resolve) && !second.offered.contains(OfferedService::Secret));
    assert_eq!(second.tls, Some(TlsFiles { cert: "c.pem".into(), key: "k.pem".into() }));
}

#[test]
fn plain_text_to_the_network_is_refused_unless_insisted_on() {
    let flags = |listen: &str| Flags { listen: Some(listen.to_owned()), ..Flags::default() };
    for listen in ["0.0.0.0:1", "[::]:1", "192.168.1.1:1"] {
        assert!(error("", &[], flags(listen)).contains("--insecure"));
        assert!(load("insecure = true", &[], flags(listen)).is_ok());
        assert!(load("", &[("SECRETS__INSECURE", "true")], flags(listen)).is_ok());
        assert!(load("", &[], Flags { insecure: true, ..flags(listen) }).is_ok());
        assert!(load("tls = { cert = 'c', key = 'k' }", &[], flags(listen)).is_ok());
    }
    for listen in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1"] {
        assert!(load("", &[], flags(listen)).is_ok());
    }
    // One listener's own word wins over the general one.
    let own = "insecure = true\n[[listeners]]\naddress = '0.0.0.0:1'\ninsecure = false";
    assert!(error(own, &[], Flags::default()).contains("0.0.0.0:1"));
}

#[test]
fn health_alone_is_plain_on_any_address() {
    let listener = |services: &str| format!("[[listeners]]\naddress = '0.0.0.0:1'\nservices = [{services}]");
    let config = load(&listener("'health'"), &[], Flags::default()).unwrap();
    assert!(config.listeners.first().unwrap().offered.is_health_only());
    assert_eq!(load(&config.to_string(), &[], Flags::default()).unwrap(), config);
    assert!(error(&listener("'health', 'reflection'"), &[], Flags::default()).contains("--insecure"));
    assert!(error(&listener("'health', 'resolve'"), &[], Flags::default()).contains("--insecure"));
}

#[test]
fn a_value_that_breaks_a_rule_is_told_with_its_key_and_what_would_pass() {
    for (file, parts) in [
        ("listen = 'example.com:1'", ["`listen`", "127.0.0.1:50051"]),
        ("listen = '127.0.0.1'", ["`listen`", "127.0.0.1:50051"]),
        ("[[listeners]]\nservices = ['resolve']", ["`listeners[0].address`", "127.0.0.1:50051"]),
        ("[[listeners]]\naddress = '[::1]:1'\nservices = ['keys']", ["`listeners[0].services`", "`resolve`"]),
        ("[[listeners]]\naddress = '[::1]:1'\nservices = []", ["`listeners[0].services`", "leave it out"]),
        (
            "[[listeners]]\naddress = '[::1]:1'\n[[listeners]]\naddress = '[::1]:1'",
            ["`listeners[1].address`", "given twice"],
        ),
        ("listeners = []", ["`listeners`", "at least one"]),
        ("listen = '[::1]:1'\n[[listeners]]\naddress = '[::1]:2'", ["`listen`", "one or the other"]),
        ("tls = { cert = 'c' }", ["`tls.key`", "missing"]),
        ("data_dir = ''", ["`data_dir`", "empty"]),
        ("[database]\nmax_connections = 0", ["`database.max_connections`", "at least 1"]),
        ("[limits]\nconnections = 0", ["`limits.connections`", "at least 1"]),
        ("[limits]\nhandshake_seconds = 0", ["`limits.handshake_seconds`", "at least 1"]),
        ("[limits]\nidle_seconds = 0", ["`limits.idle_seconds`", "at least 1"]),
        ("[limits]\nrequest_seconds = 0", ["`limits.request_seconds`", "at least 1"]),
        ("[limits]\nresponse_seconds = 0", ["`limits.response_seconds`", "at least 1"]),
        ("[limits]\npending_request_mib = 0", ["`limits.pending_request_mib`", "at least 1"]),
        ("[limits]\nreflection_seconds = 0", ["`limits.reflection_seconds`", "at least 1"]),
        ("[limits]\ncode_attempts_per_minute = 0", ["`limits.code_attempts_per_minute`", "at least 1"]),
        ("[limits]\ncalls_per_person = 0", ["`limits.calls_per_person`", "at least 1"]),
        ("[limits]\nrate_per_service_account = 1000001", ["`limits.rate_per_service_account`", "at most 1000000"]),
        ("[sessions]\nrenewable_days = 0", ["`sessions.renewable_days`", "at least 1"]),
        ("[sessions]\nrenewable_days = 366", ["`sessions.renewable_days`", "at most 365"]),
        ("[retention]\naudit_changes_days = 0", ["`retention.audit_changes_days`", "at least 1"]),
        ("[retention]\naudit_deliveries_days = 36501", ["`retention.audit_deliveries_days`", "at most 36500"]),
        ("[retention]\naudit_reads_days = 0", ["`retention.audit_reads_days`", "at least 1"]),
        ("[retention]\naudit_refusals_days = 0", ["`retention.audit_refusals_days`", "at least 1"]),
        ("[retention]\ndeleted_organizations_days = 0", ["`retention.deleted_organizations_days`", "at least 1"]),
        ("[retention]\nrequest_ids_hours = 23", ["`retention.request_ids_hours`", "at least 24"]),
        ("[retention]\nrequest_ids_per_principal = 15", ["`retention.request_ids_per_principal`", "at least 16"]),
        ("[log]\nformat = 'xml'", ["`log.format`", "`json`"]),
        ("[log]\nlevel = 'loud'", ["`log.level`", "`debug`"]),
        ("insecure = 'perhaps'", ["`insecure`", "boolean"]),
        ("database.max_connections = 'hunter2'", ["`database.max_connections`", "integer"]),
    ] {
        let message = error(file, &[], Flags::default());
        assert!(parts.iter().all(|part| message.contains(part)), "{file}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn an_unescaped_database_password_is_refused_with_what_must_be_escaped() {
    for url in ["postgres://app:x/hunter2@db/secrets", "postgres://app:hunter2#x@db/secrets", "postgres://app:hunter2"]
    {
        let message = error("", &[("SECRETS__DATABASE__URL", url)], Flags::default());
        assert!(message.contains("`@ / # ? %`") && message.contains("`%40 %2F %23 %3F %25`"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn an_unknown_key_is_told_from_every_source() {
    assert!(error("databse.url = 'x'", &[], Flags::default()).contains("`databse`"));
    let message = error("", &[("SECRETS__DATABSE__URL", "x")], Flags::default());
    assert!(message.contains("`SECRETS__DATABSE__URL` in the environment"), "{message}");
}

#[test]
fn a_database_password_is_never_printed() {
    let url = "postgres://app:hunter2@db:5432/secrets?password=hunter2";
    let config = load("", &[("SECRETS__DATABASE__URL", url)], Flags::default()).unwrap();
    let Database::Postgres { url: parsed, .. } = &config.database else { panic!("PostgreSQL") };
    assert_eq!(parsed.expose(), url);
    let printed = format!("{config} {config:?}");
    assert!(printed.contains("db:5432/secrets") && !printed.contains("hunter2"), "{printed}");

    let refused = error("[database]\nurl = 'mysql://app:hunter2@db'", &[], Flags::default());
    assert!(refused.contains("`database.url`") && !refused.contains("hunter2"), "{refused}");
    let listed = error("[database]\nurl = ['postgres://app:hunter2@db']", &[], Flags::default());
    assert!(listed.contains("`database.url`") && !listed.contains("hunter2"), "{listed}");
}

#[test]
fn what_is_printed_can_be_read_again() {
    let file = "data_dir = '/d'\n[[listeners]]\naddress = '10.0.0.1:2'\nservices = ['resolve', 'audit']\n\
                tls = { cert = 'c.pem', key = 'k.pem' }\n[database]\nurl = 'postgres://db/secrets'\n[limits]\nconnections = 9\nhandshake_seconds = 1\nidle_seconds = 2\nrequest_seconds = 3\nresponse_seconds = 7\npending_request_mib = 5\nreflection_seconds = 6\ncode_attempts_per_minute = 4\n\
                calls = 10\ncalls_per_person = 11\ncalls_per_service_account = 12\nrate_per_person = 13\nrate_per_service_account = 14\nwatches = 15\nwatches_per_person = 16\nwatches_per_service_account = 17\nsessions_per_session = 18\nsessions_per_person = 19\nsessions_per_service_account = 20\n\
                [sessions]\nrenewable_days = 30\n[retention]\naudit_changes_days = 3650\naudit_deliveries_days = 400\naudit_reads_days = 1\naudit_refusals_days = 2\ndeleted_organizations_days = 3\nrequest_ids_hours = 48\nrequest_ids_per_principal = 16\n[log]\nformat = 'json'";
    let config = load(file, &[], Flags::default()).unwrap();
    assert_eq!((config.session_period, config.retention.audit_deliveries), (DAY * 30, Some(DAY * 400)));
    assert_eq!(config.limits.admission.person.rate.get(), 13);
    assert_eq!(config.limits.admission.service_account.sessions.get(), 20);
    assert_eq!(load(&config.to_string(), &[], Flags::default()).unwrap(), config);
}
