//! The hook as bash, zsh and fish run it: each is started on a terminal, walks into a directory and out of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::terminal::program_on_terminal;
use crate::support::{Person, ProgramOutput, TestServer};

const SECRETS_TOML: &str = "organization = \"acme\"\nworkspace = \"ws1\"\n";

/// A server where bob's workspace, project and organization have variables, and a file.
fn server() -> TestServer {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    bob.set("canary-own-key", "LINEAR_API_KEY");
    bob.set("canary-database", "DATABASE_URL --workspace ws1");
    bob.set("canary-file", "DEPLOY_KEY --workspace ws1 --file ~/.ssh/deploy_key");
    ann.run_ok("org allow PAGER");
    ann.set("canary-pager", "PAGER --org");
    server
}

/// bob, with a repository `repo` that has a directory `sub`.
fn bob(server: &TestServer) -> Person<'_> {
    let bob = server.person("bob");
    fs::create_dir_all(bob.home.join("repo/sub")).unwrap();
    fs::write(bob.home.join("repo/secrets.toml"), SECRETS_TOML).unwrap();
    bob
}

/// The token that a login has stored.
fn token(person: &Person<'_>) -> String {
    let config = fs::read_to_string(person.home.join(".config/secrets/config.toml")).unwrap();
    config.split('"').find(|text| text.starts_with("sper_")).unwrap().to_owned()
}

/// A shell in whose `PATH` is `secrets`.
fn shell(person: &Person<'_>, program: &str, words: &[&str]) -> Command {
    let mut shell = person.program(Path::new(program), words);
    let programs = Path::new(env!("CARGO_BIN_EXE_secrets")).parent().unwrap().display().to_string();
    shell.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap())).env_remove("PAGER");
    shell
}

/// What fish prints with the hook. It paints its line anew at each key, so that it is not typed to: its event is what a prompt is.
fn fish(person: &Person<'_>, script: &str) -> ProgramOutput {
    let script = format!("secrets hook fish | source; emit fish_prompt; {script}");
    let mut fish = shell(person, "fish", &["--no-config", "-c", &script]);
    // Its code is that of the last `printenv`, which is 1 where a variable is not there.
    ProgramOutput::from(fish.env("LINEAR_API_KEY", "from-before").output().unwrap())
}

/// The other shells, as they are started for a person who has the hook.
fn shells(person: &Person<'_>) -> Vec<(&'static str, Command)> {
    let home = &person.home;
    fs::write(home.join("rc"), "eval \"$(secrets hook bash)\"\nPS1='at your service: '\n").unwrap();
    fs::write(home.join(".zshrc"), "eval \"$(secrets hook zsh)\"\nPS1='at your service: '\n").unwrap();
    vec![
        ("bash", shell(person, "bash", &["--noprofile", "--rcfile", "rc", "-i"])),
        ("zsh", shell(person, "zsh", &["--no-global-rcs", "-i"])),
    ]
}

/// What a shell's script asks in a directory.
fn load(person: &Person<'_>, directory: &str, loaded: &str) -> ProgramOutput {
    let mut command = person.command_words(&["hook", "load", "--loaded", loaded]);
    ProgramOutput::from(command.current_dir(person.home.join(directory)).env_remove("PAGER").output().unwrap())
}

fn allow(person: &Person<'_>, directory: &str) -> ProgramOutput {
    let mut command = person.command("hook allow --yes");
    let ended = command.current_dir(person.home.join(directory)).output().unwrap();
    ProgramOutput::from(ended).expect_success("hook allow")
}

#[test]
fn a_shell_asks_first_and_has_the_variables_of_a_directory_while_it_is_in_it() {
    for at in 0..2 {
        let server = server();
        let bob = bob(&server);
        let (name, mut shell) = shells(&bob).swap_remove(at);
        shell.env("LINEAR_API_KEY", "from-before");
        let dialogue = [
            ("service: ", "cd repo\r"),
            ("repo/secrets.toml is not loaded; `secrets hook allow`", ""),
            ("service: ", "printenv DATABASE_URL | wc -c\r"),
            ("\n0", ""),
            ("service: ", "secrets hook allow\r"),
            ("DATABASE_URL    from workspace ws1", ""),
            ("LINEAR_API_KEY  from user bob", ""),
            ("and what else this context gets later", ""),
            ("PAGER is left out", ""),
            ("every program of a shell with the hook gets them", ""),
            ("[y/N] ", "y\r"),
            ("loaded DATABASE_URL, LINEAR_API_KEY; left out PAGER", ""),
            ("service: ", "printenv DATABASE_URL LINEAR_API_KEY | wc -c; cd sub\r"),
            ("\n31", ""), // both, with a line end each
            ("service: ", "printenv DATABASE_URL PAGER DEPLOY_KEY | wc -c; cd ../..\r"),
            ("\n16", ""),
            ("service: ", "printenv DATABASE_URL | wc -c; printenv LINEAR_API_KEY SECRETS_HOOK\r"),
            ("\n0", ""),
            ("from-before", ""),
            ("service: ", "exit 7\r"),
        ];
        let (code, shown) = program_on_terminal(&shell, &dialogue);
        assert!(code == 7 && !shown.contains("canary"), "{name}: {shown}");
        let history: String = [".bash_history", ".zsh_history"]
            .iter()
            .filter_map(|file| fs::read_to_string(bob.home.join(file)).ok())
            .collect();
        assert!(!history.contains("canary"), "{name}: {history}");
    }
}

#[test]
fn fish_has_the_variables_of_a_directory_while_it_is_in_it() {
    let server = server();
    let bob = bob(&server);
    let got = fish(
        &bob,
        "cd repo; emit fish_prompt; printenv DATABASE_URL | wc -c; secrets hook allow --yes; emit fish_prompt; \
         printenv DATABASE_URL LINEAR_API_KEY | wc -c; cd sub; emit fish_prompt; \
         printenv DATABASE_URL PAGER DEPLOY_KEY | wc -c; set -gx LATER mine; cd ../..; emit fish_prompt; \
         printenv DATABASE_URL | wc -c; printenv LINEAR_API_KEY SECRETS_HOOK LATER; true",
    );
    assert_eq!(got.stdout, "0\n31\n16\n0\nfrom-before\nmine\n", "{got:?}");
    let got = got.reject_text("canary").expect_text(&["is not loaded; `secrets hook allow`", "left out PAGER"]);
    assert_eq!(got.stderr.matches("is not loaded").count(), 1, "{got:?}");
    let changed = fish(
        &bob,
        "cd repo; emit fish_prompt; set -gx DATABASE_URL mine; cd ..; emit fish_prompt; printenv DATABASE_URL LINEAR_API_KEY",
    );
    assert_eq!(changed.stdout, "mine\nfrom-before\n", "{changed:?}");
    let traced =
        fish(&bob, "set -g fish_trace 1; cd repo; emit fish_prompt; cd ..; emit fish_prompt; set -g fish_trace");
    traced.reject_text("canary").expect_text(&["cd repo", "loaded DATABASE_URL"]);
    let inner = "secrets hook fish | source; printenv DATABASE_URL | wc -c; cd ..; emit fish_prompt; printenv DATABASE_URL | wc -c";
    let nested =
        fish(&bob, &format!("cd repo; emit fish_prompt; fish --no-config -c '{inner}'; printenv DATABASE_URL | wc -c"));
    assert_eq!(nested.stdout, "16\n0\n16\n", "{nested:?}");
}

#[test]
fn what_somebody_has_changed_stays_as_it_is() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    for (name, shell) in shells(&bob) {
        let dialogue = [
            ("service: ", "cd repo\r"),
            ("loaded DATABASE_URL", ""),
            ("service: ", "export DATABASE_URL=mine; cd ..\r"),
            ("service: ", "printenv DATABASE_URL LINEAR_API_KEY\r"),
            ("\nmine", ""),
            ("service: ", "exit 7\r"),
        ];
        let (code, shown) = program_on_terminal(&shell, &dialogue);
        assert!(code == 7 && !shown.contains("canary"), "{name}: {shown}");
    }
}

#[test]
fn no_trace_shows_a_value() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    for (name, shell) in shells(&bob) {
        let trace = match name {
            "bash" => "set -o functrace; trap 'echo \"D: $BASH_COMMAND\"' DEBUG; set -xv",
            _ => "setopt xtrace verbose",
        };
        let dialogue = [
            ("service: ", &*format!("{trace}\r")),
            ("service: ", "cd repo\r"),
            ("loaded DATABASE_URL", ""),
            ("service: ", "printenv DATABASE_URL | wc -c\r"),
            ("\n16", ""),
            ("service: ", "cd ..\r"),
            ("service: ", "exit 7\r"),
        ];
        let (code, shown) = program_on_terminal(&shell, &dialogue);
        assert_eq!(code, 7, "{name}: {shown}");
        assert!(!shown.contains("canary"), "{name}: {shown}");
        assert!(shown.contains("wc -c"), "nothing was traced: {shown}");
    }
}

#[test]
fn a_debug_trap_of_zsh_sees_no_value_and_keeps_none_away() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    for trap in ["trap 'echo D: $@' DEBUG", "TRAPDEBUG() { echo D: $@ }"] {
        let script = format!(
            "eval \"$(secrets hook zsh)\"; {trap}; cd repo; _secrets_hook; printenv DATABASE_URL | wc -c; \
             precmd_functions=(); _secrets_install; cd ..; _secrets_hook; \
             printenv DATABASE_URL; true"
        );
        let ended = ProgramOutput::from(shell(&bob, "zsh", &["-c", &script]).output().unwrap());
        let ended = ended.expect_success(trap).reject_text("canary").expect_text(&["loaded DATABASE_URL", "\n16\n"]);
        let traced = ended.stdout.lines().filter(|line| line.starts_with("D:")).count();
        assert!((5..60).contains(&traced), "the trap is the shell's own again: {ended:?}");
    }
}

#[test]
fn a_shell_within_a_shell_gives_back_what_the_outer_one_has_loaded() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    for (name, shell) in shells(&bob) {
        let inner = match name {
            "bash" => "bash --noprofile --rcfile ~/rc -i",
            _ => "zsh --no-global-rcs -i",
        };
        let dialogue = [
            ("service: ", "cd repo\r"),
            ("loaded DATABASE_URL", ""),
            ("service: ", &*format!("{inner}\r")),
            ("service: ", "printenv DATABASE_URL | wc -c; cd ..\r"),
            ("\n16", ""),
            ("service: ", "printenv DATABASE_URL | wc -c\r"),
            ("\n0", ""),
            ("service: ", "exit\r"),
            ("service: ", "printenv DATABASE_URL | wc -c\r"),
            ("\n16", ""),
            ("service: ", "exit 7\r"),
        ];
        let (code, shown) = program_on_terminal(&shell, &dialogue);
        assert!(code == 7 && !shown.contains("canary"), "{name}: {shown}");
    }
}

#[test]
fn every_byte_that_a_value_may_have_arrives_and_nothing_in_it_runs() {
    let server = server();
    let bob = bob(&server);
    let ascii: Vec<u8> = (1..128).collect();
    let mut every = [ascii.clone(), ascii.iter().rev().copied().collect()].concat();
    // Characters that shells use within themselves, that turn the writing around, and of every length.
    every.extend("\u{80}\u{ff}\u{202e}\u{fdd0}\u{f601}\u{f8ff}\u{ffff}\u{10ffff}e\u{301}".as_bytes());
    let values: [(&str, &[u8]); 4] = [
        ("EVERY_BYTE", &every),
        ("QUOTES", b"';touch pwned;'\"$(touch pwned)`touch pwned`${x:-$(touch pwned)}\\"),
        ("SEVERAL", b"\n a\n\n\ttouch pwned\n\n"),
        ("NUMBER", b"a[$(touch pwned)]"),
    ];
    for (name, value) in values {
        fs::write(bob.home.join("value"), value).unwrap();
        bob.run_ok(&format!("set {name} --workspace ws1 --raw --value-file value"));
    }
    allow(&bob, "repo");
    let names = values.map(|(name, _)| name).join(" ");
    let each = format!("for n in {names}; do printenv $n >~/got-$n; done");
    let fish_each = format!("for n in {names}; printenv $n >~/got-$n; end");
    for (program, script) in [
        ("bash", format!("eval \"$(secrets hook bash)\"; declare -i NUMBER; cd repo; _secrets_hook; {each}")),
        ("zsh", format!("eval \"$(secrets hook zsh)\"; cd repo; _secrets_hook; {each}")),
        ("fish", format!("secrets hook fish | source; cd repo; __secrets_hook; {fish_each}")),
    ] {
        for locale in ["C.UTF-8", "C"] {
            let mut shell = shell(&bob, program, &["-c", &script]);
            let ended = ProgramOutput::from(shell.env("LC_ALL", locale).output().unwrap()).expect_success(program);
            for (name, value) in values {
                let got = fs::read(bob.home.join(format!("got-{name}"))).unwrap();
                assert_eq!(got.strip_suffix(b"\n").unwrap(), value, "{program} {locale} {name}: {ended:?}");
            }
        }
    }
    assert!(!bob.home.join("pwned").exists() && !bob.home.join("repo/pwned").exists());
}

#[test]
fn the_program_is_the_one_that_printed_the_script_wherever_it_is_and_none_of_the_directory() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    let fake = bob.home.join("repo/secrets");
    fs::write(&fake, "#!/bin/sh\ntouch ~/pwned\n").unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let odd = bob.home.join("it's $HOME `x`\n\\' \\");
    fs::create_dir(&odd).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_secrets"), odd.join("secrets")).unwrap();
    for (program, script) in [
        ("bash", "eval \"$(secrets hook bash)\"; PATH=.:/bin:/usr/bin; cd repo; _secrets_hook; printenv DATABASE_URL"),
        ("zsh", "eval \"$(secrets hook zsh)\"; PATH=.:/bin:/usr/bin; cd repo; _secrets_hook; printenv DATABASE_URL"),
        (
            "fish",
            "secrets hook fish | source; set PATH . /bin /usr/bin; cd repo; __secrets_hook; printenv DATABASE_URL",
        ),
    ] {
        let path = format!("{}:{}", odd.display(), std::env::var("PATH").unwrap());
        let mut shell = shell(&bob, program, &["-c", script]);
        let ended = ProgramOutput::from(shell.env("PATH", path).output().unwrap()).expect_success(program);
        assert_eq!(ended.stdout, "canary-database\n", "{program}: {ended:?}");
        assert!(!bob.home.join("pwned").exists(), "{program} started the directory's own program");
    }
}

/// What a shell prints whose hook asks a program that answers this.
fn answered(person: &Person<'_>, program: &str, answer: &str, locale: &str, script: &str) -> ProgramOutput {
    let directory = person.home.join("fake");
    fs::create_dir_all(&directory).unwrap();
    let fake = directory.join("secrets");
    fs::write(&fake, format!("#!/bin/sh\nprintf '{answer}'\n")).unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let real = person.run_ok(&format!("hook {program}")).stdout;
    let program_path = fs::canonicalize(env!("CARGO_BIN_EXE_secrets")).unwrap();
    let hook = real.replace(&format!("'{}'", program_path.display()), &format!("'{}'", fake.display()));
    assert_ne!(real, hook);
    fs::write(person.home.join("hook"), hook).unwrap();
    let mut shell = shell(person, program, &["-c", &format!(". ./hook; cd repo; {script}")]);
    shell.env("LOCPATH", person.home.join("locales")).env("LC_ALL", locale);
    ProgramOutput::from(shell.output().unwrap())
}

#[test]
fn an_answer_with_a_name_that_is_none_loads_nothing() {
    let server = server();
    let bob = bob(&server);
    for (program, hook) in [("bash", "_secrets_hook"), ("zsh", "_secrets_hook"), ("fish", "__secrets_hook")] {
        let script = format!("{hook}; printenv GOOD | wc -c; printenv SECRETS_HOOK");
        let whole = answered(&bob, program, r"load\0007\000GOOD\000canary\000\000", "C.UTF-8", &script);
        assert_eq!(whole.stdout, "7\n7 GOOD\n", "{program}: {whole:?}");
        for name in ["x[$(touch ~/pwned)]", "good", "1A", "A B", "A=B", "A\\n", "-x", "PATH\\303\\251"] {
            for answer in [
                format!(r"load\0007\000GOOD\000canary\000{name}\000canary\000\000"),
                format!(r"load\0007\000{name}\000canary\000GOOD\000canary\000\000"),
            ] {
                let ended = answered(&bob, program, &answer, "C.UTF-8", &script).reject_text("canary");
                assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("0\n", ""), "{program} {name}: {ended:?}");
            }
        }
    }
    assert!(!bob.home.join("pwned").exists());
}

#[test]
fn a_value_ends_where_it_ends_in_a_locale_of_another_encoding() {
    let server = server();
    let bob = bob(&server);
    let locales = bob.home.join("locales");
    fs::create_dir(&locales).unwrap();
    let made =
        Command::new("localedef").args(["-i", "zh_CN", "-f", "GBK"]).arg(locales.join("zh_CN.GBK")).output().unwrap();
    assert!(locales.join("zh_CN.GBK/LC_CTYPE").exists(), "localedef, and the charmaps of `locales`: {made:?}");
    // The last byte of the first value is one that begins a character of two bytes.
    let answer = r"load\0007\000A\000canary\303\000B\000value\000\000";
    for (program, hook) in [("bash", "_secrets_hook"), ("zsh", "_secrets_hook"), ("fish", "__secrets_hook")] {
        let script = format!("{hook}; printenv A | od -An -tx1; printenv B SECRETS_HOOK");
        let ended = answered(&bob, program, answer, "zh_CN.GBK", &script).reject_text("canary");
        assert_eq!(ended.stdout, " 63 61 6e 61 72 79 c3 0a\nvalue\n7 A B\n", "{program}: {ended:?}");
        assert_eq!(ended.stderr, "", "{program}");
    }
}

#[test]
fn a_variable_of_the_shell_itself_stays_as_it_is() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    let kept = "DATABASE_URL is a variable of this shell";
    for (program, script) in [
        (
            "bash",
            "eval \"$(secrets hook bash)\"; declare -ix DATABASE_URL=7; cd repo; _secrets_hook; echo $DATABASE_URL",
        ),
        ("bash", "eval \"$(secrets hook bash)\"; DATABASE_URL=7; cd repo; _secrets_hook; echo $DATABASE_URL"),
        ("bash", "eval \"$(secrets hook bash)\"; readonly DATABASE_URL=7; cd repo; _secrets_hook; echo $DATABASE_URL"),
        ("zsh", "eval \"$(secrets hook zsh)\"; integer DATABASE_URL=7; cd repo; _secrets_hook; echo $DATABASE_URL"),
        ("fish", "secrets hook fish | source; set -g DATABASE_URL 7; cd repo; __secrets_hook; echo $DATABASE_URL"),
    ] {
        let ended = ProgramOutput::from(shell(&bob, program, &["-c", script]).output().unwrap());
        let ended = ended.expect_success(script).expect_text(&[kept]).reject_text("canary");
        assert_eq!(ended.stdout, "7\n", "{script}: {ended:?}");
    }
}

#[test]
fn is_asked_again_when_the_file_the_service_or_the_organization_is_another_one() {
    let server = server();
    let bob = bob(&server);
    assert!(load(&bob, "repo", "").stdout.starts_with("ask\0"));
    allow(&bob, "repo");
    let loaded = load(&bob, "repo/sub", "");
    assert!(loaded.stdout.starts_with("load\0") && loaded.stdout.ends_with("\0\0"), "{loaded:?}");
    let id = loaded.stdout.split('\0').nth(1).unwrap().to_owned();
    // The same file by another way is the same file, and is not loaded again.
    std::os::unix::fs::symlink("repo", bob.home.join("link")).unwrap();
    for directory in ["repo", "repo/sub", "link"] {
        assert_eq!(load(&bob, directory, &id).stdout, "keep\0\0", "{directory}");
    }
    assert_eq!(load(&bob, ".", &id).stdout, "unload\0\0");
    for (name, value) in [("SECRETS_ENDPOINT", "http://127.0.0.1:1"), ("SECRETS_ORGANIZATION", "other")] {
        let elsewhere = server.person("bob").with(name, value);
        let asked =
            load(&elsewhere, "repo", &id).expect_text(&["was allowed for another service or organization, and is not"]);
        assert!(asked.stdout.starts_with("ask\0"), "{name}");
    }
    fs::rename(bob.home.join("repo"), bob.home.join("moved")).unwrap();
    assert!(load(&bob, "moved", &id).stdout.starts_with("ask\0"));
    fs::rename(bob.home.join("moved"), bob.home.join("repo")).unwrap();
    assert_eq!(load(&bob, "repo", &id).stdout, "keep\0\0");
    fs::write(bob.home.join("repo/secrets.toml"), format!("{SECRETS_TOML}# more\n")).unwrap();
    let asked = load(&bob, "repo", &id);
    assert!(asked.stdout.starts_with("ask\0"), "{asked:?}");
    asked.expect_text(&["repo/secrets.toml has changed since you allowed it, and is not loaded; `secrets hook allow`"]);
    fs::write(bob.home.join("repo/secrets.toml"), SECRETS_TOML).unwrap();
    assert_eq!(load(&bob, "repo", &id).stdout, "keep\0\0");
    let listed = bob.run_ok("hook list");
    assert!(listed.stdout.contains("repo/secrets.toml"), "{listed:?}");
    let denied = bob.command("hook deny").current_dir(bob.home.join("repo")).output().unwrap();
    assert!(denied.status.success(), "{denied:?}");
    assert!(load(&bob, "repo", &id).stdout.starts_with("ask\0"));
}

#[test]
fn a_link_has_nothing_of_the_trust_in_the_file_that_it_points_to() {
    let server = server();
    let bob = bob(&server);
    allow(&bob, "repo");
    let id = load(&bob, "repo", "").stdout.split('\0').nth(1).unwrap().to_owned();
    fs::create_dir(bob.home.join("cloned")).unwrap();
    std::os::unix::fs::symlink("../repo/secrets.toml", bob.home.join("cloned/secrets.toml")).unwrap();
    for loaded in ["", &id] {
        let asked = load(&bob, "cloned", loaded).expect_text(&["cloned/secrets.toml is not loaded: it is a link"]);
        assert_eq!(asked.stdout, "ask\0\0");
    }
    let mut command = bob.command("hook allow --yes");
    let refused = ProgramOutput::from(command.current_dir(bob.home.join("cloned")).output().unwrap());
    refused.expect_failure(1).expect_text(&["is a link, which no shell loads"]);
    // Nor where the directory itself is trusted.
    fs::rename(bob.home.join("repo/secrets.toml"), bob.home.join("elsewhere.toml")).unwrap();
    std::os::unix::fs::symlink("../elsewhere.toml", bob.home.join("repo/secrets.toml")).unwrap();
    for loaded in ["", &id] {
        assert_eq!(load(&bob, "repo", loaded).stdout, "ask\0\0");
    }
    // What was allowed is denied where the link is, and not where it points.
    let denied = bob.command("hook deny").current_dir(bob.home.join("cloned")).output().unwrap();
    ProgramOutput::from(denied).expect_success("hook deny").expect_text(&["cloned/secrets.toml was not allowed"]);
}

#[test]
fn denies_a_path_whether_it_is_still_there_or_not() {
    let server = server();
    let bob = bob(&server);
    std::os::unix::fs::symlink("repo", bob.home.join("link")).unwrap();
    let listed = || bob.run_ok("hook list -o json").stdout.contains("repo/secrets.toml");
    for path in ["repo", "repo/secrets.toml", "link", "link/secrets.toml", "repo/sub/.."] {
        allow(&bob, "repo");
        assert!(listed());
        bob.run_ok(&format!("hook deny {path}")).expect_text(&["repo/secrets.toml is not allowed any more"]);
        assert!(!listed(), "{path}");
    }
    allow(&bob, "repo");
    bob.run_ok("hook deny repo/sub").expect_text(&["repo/sub/secrets.toml was not allowed"]);
    let path = bob.home.canonicalize().unwrap().join("repo/secrets.toml");
    fs::remove_dir_all(bob.home.join("repo")).unwrap();
    assert!(listed());
    bob.run_ok(&format!("hook deny {}", path.display())).expect_text(&["is not allowed any more"]);
    assert!(!listed());
}

#[test]
fn loads_what_the_file_lists_where_it_lists_some() {
    let server = server();
    let bob = bob(&server);
    fs::write(bob.home.join("repo/secrets.toml"), format!("{SECRETS_TOML}[secrets.DATABASE_URL]\n[secrets.LATER]\n"))
        .unwrap();
    let mut command = bob.command("hook allow");
    let asked = ProgramOutput::from(command.current_dir(bob.home.join("repo")).stdin(Stdio::null()).output().unwrap());
    // What is not there yet is loaded as soon as it is.
    asked.expect_text(&["  DATABASE_URL  from workspace ws1\n  LATER         not there yet\n"]);
    allow(&bob, "repo");
    let loaded = load(&bob, "repo", "");
    let words: Vec<&str> = loaded.stdout.split('\0').skip(2).collect();
    assert_eq!(words, ["DATABASE_URL", "canary-database", "", ""]);
    assert!(loaded.stderr.contains("loaded DATABASE_URL; 1 of those it lists is not there"), "{loaded:?}");
}

#[test]
fn a_service_that_is_away_is_neither_waited_for_nor_mentioned() {
    let mut server = server();
    {
        let bob = bob(&server);
        allow(&bob, "repo");
        server.pause();
        let started = Instant::now();
        let asked = load(&bob, "repo", "");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert_eq!((asked.code, asked.stdout.as_str(), asked.stderr.as_str()), (0, "unload\0\0", ""));
        server.resume();
    }
    server.stop();
    let asked = load(&bob(&server), "repo", "");
    assert_eq!((asked.code, asked.stdout.as_str(), asked.stderr.as_str()), (0, "unload\0\0", ""));
}

#[test]
fn what_is_loaded_stays_while_the_service_is_away_even_where_it_knows_the_organization() {
    let mut server = server();
    let token = token(&server.person("bob"));
    let id = {
        let bob = bob(&server).with("SECRETS_TOKEN", &token);
        fs::write(bob.home.join("repo/secrets.toml"), "workspace = \"ws1\"\n").unwrap();
        allow(&bob, "repo");
        let id = load(&bob, "repo", "").stdout.split('\0').nth(1).unwrap().to_owned();
        server.pause();
        for (loaded, answer) in [(id.as_str(), "keep\0\0"), ("", "unload\0\0"), ("7", "unload\0\0")] {
            let started = Instant::now();
            let asked = load(&bob, "repo/sub", loaded);
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
            assert_eq!((asked.stdout.as_str(), asked.stderr.as_str()), (answer, ""), "{loaded}");
        }
        server.resume();
        id
    };
    server.stop();
    let bob = server.person("bob").with("SECRETS_TOKEN", &token);
    fs::create_dir_all(bob.home.join("other")).unwrap();
    fs::write(bob.home.join("other/secrets.toml"), "workspace = \"ws1\"\n").unwrap();
    for (directory, answer) in [("repo", "keep\0\0"), ("other", "unload\0\0"), (".", "unload\0\0")] {
        assert_eq!(load(&bob, directory, &id).stdout, answer, "{directory}");
    }
    // Nor does it stay for somebody else.
    let other = server.person("bob").with("SECRETS_TOKEN", "sper_another");
    assert_eq!(load(&other, "repo", &id).stdout, "unload\0\0");
}

#[test]
fn whoever_is_not_signed_in_reads_what_to_do() {
    let server = server();
    let nobody = server.person("nobody");
    fs::create_dir(nobody.home.join("repo")).unwrap();
    fs::write(nobody.home.join("repo/secrets.toml"), "workspace = \"ws1\"\n").unwrap();
    let asked = load(&nobody, "repo", "").expect_text(&["secrets: not signed in at http://", "; `secrets login`"]);
    assert_eq!(asked.stdout, "unload\0\0");
}

#[test]
fn another_token_has_variables_of_its_own() {
    let server = server();
    let (ann, bob) = (server.person("ann"), bob(&server));
    // Where both have a right to all that there is.
    fs::write(bob.home.join("repo/secrets.toml"), "organization = \"acme\"\n").unwrap();
    ann.set("canary-of-ann", "LINEAR_API_KEY");
    allow(&bob, "repo");
    let id = load(&bob, "repo", "").stdout.split('\0').nth(1).unwrap().to_owned();
    assert_eq!(load(&bob, "repo", &id).stdout, "keep\0\0");
    let loaded = load(&server.person("bob").with("SECRETS_TOKEN", &token(&ann)), "repo", &id);
    assert!(loaded.stdout.starts_with("load\0") && loaded.stdout.contains("canary-of-ann"), "{loaded:?}");
    assert!(!loaded.stdout.contains(&id), "{loaded:?}");
}

#[test]
fn nothing_is_allowed_without_an_answer() {
    let server = server();
    let bob = bob(&server);
    let mut command = bob.command("hook allow");
    let ended = command.current_dir(bob.home.join("repo")).stdin(Stdio::null()).output().unwrap();
    ProgramOutput::from(ended)
        .expect_failure(2)
        .expect_text(&["--yes", "LINEAR_API_KEY  from user bob"])
        .reject_text("canary");
    assert!(load(&bob, "repo", "").stdout.starts_with("ask\0"));
    bob.run("hook allow --yes").expect_failure(3).expect_text(&["no secrets.toml"]);
}
