//! `make dist`, with the programs that are already built: what a release consists of, unpacked and run.

use std::path::Path;

use crate::support::{TestDir, programs, project};

#[test]
fn packs_what_a_release_consists_of() {
    let directory = TestDir::new();
    let sh = |script: &str| {
        let mut shell = directory.command("bash");
        shell.args(["-euc", script]);
        // One's own mistrust of a directory that belongs to somebody else is not what is tested.
        shell.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
        let ended = directory.run(shell);
        assert_eq!(ended.code, Some(0), "{script}: {}", ended.output);
        ended.output
    };
    sh(&format!("{}/deploy/dist/package {} dist", project().display(), programs().display()));
    sh("cd dist && sha256sum --check --strict SHA256SUMS && mv *.tar.gz ../tarball && mv *.deb ../package");

    // Everything else than Debian: one directory, to be put anywhere.
    sh("mkdir tarball.d && tar -xzf tarball -C tarball.d --strip-components=1");
    holds(
        &directory.path().join("tarball.d"),
        &["README.md", "CHANGELOG.md", "LICENSE", "lib/systemd/system/secrets-server.service"],
    );
    holds_programs(&directory.path().join("tarball.d"));

    sh("dpkg-deb --extract package package.d && dpkg-deb --control package control.d");
    holds_programs(&directory.path().join("package.d/usr"));
    holds(&directory.path().join("package.d/usr"), &["share/doc/secrets/copyright", "share/doc/secrets/changelog.gz"]);
    let control = std::fs::read_to_string(directory.path().join("control.d/control")).unwrap();
    for line in ["Package: secrets", concat!("Version: ", env!("CARGO_PKG_VERSION")), "Depends: libc6 (>= 2."] {
        assert!(control.lines().any(|each| each.starts_with(line)), "{line}: {control}");
    }
    let unit =
        std::fs::read_to_string(directory.path().join("package.d/usr/lib/systemd/system/secrets-server.service"));
    assert!(unit.unwrap().contains("\nExecStart=/usr/bin/secrets-server serve "));
    installs_and_goes(&sh);
    let said = sh("for program in secrets secrets-server; do package.d/usr/bin/$program --version; done");
    let name = concat!(" ", env!("CARGO_PKG_VERSION"));
    assert!(said.starts_with(&format!("secrets{name}")) && said.contains(&format!("secrets-server{name}")), "{said}");
}

/// Into a root of its own, so that nothing of this machine is touched.
fn installs_and_goes(sh: &dyn Fn(&str) -> String) {
    let root = "--root=$PWD/root --force-script-chrootless --force-depends --force-not-root --force-bad-path";
    sh("mkdir -p root/var/lib/dpkg/updates root/var/lib/dpkg/info && touch root/var/lib/dpkg/status");
    sh(&format!("dpkg {root} --install package 2> log || (cat log; false)"));
    holds_programs(Path::new(sh("echo $PWD/root/usr").trim()));
    assert!(sh("root/usr/bin/secrets --version").starts_with("secrets "));
    sh(&format!(
        "dpkg {root} --remove secrets && [ -z \"$(find root -path '*secrets*' -type f -not -path '*/dpkg/*')\" ]"
    ));
}

#[test]
fn prints_the_version_of_the_workspace() {
    let directory = TestDir::new();
    let mut version = directory.command(project().join("deploy/dist/version"));
    version.arg("--number");
    assert_eq!(directory.run(version).output.trim(), env!("CARGO_PKG_VERSION"));
}

fn holds_programs(usr: &Path) {
    holds(
        usr,
        &[
            "bin/secrets",
            "bin/secrets-server",
            "share/man/man1/secrets.1.gz",
            "share/man/man1/secrets-run.1.gz",
            "share/man/man8/secrets-server.8.gz",
            "share/man/man8/secrets-server-serve.8.gz",
            "share/bash-completion/completions/secrets",
            "share/zsh/vendor-completions/_secrets",
            "share/fish/vendor_completions.d/secrets.fish",
        ],
    );
}

fn holds(directory: &Path, files: &[&str]) {
    for file in files {
        let size = std::fs::metadata(directory.join(file)).map(|file| file.len());
        assert!(size.is_ok_and(|size| size > 0), "{file} is missing or empty");
    }
}
