//! Reserved paths.

mod home;
mod soft;
mod system;

use super::Reserved;

/// The first row that covers a path gives grade and reason.
pub(super) const TABLES: [&[Reserved]; 3] = [system::TABLE, home::TABLE, soft::TABLE];

/// Whether `pattern` reserves `path`, a path in normal form.
pub(super) fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_prefix("~/") {
        None => is_at_or_above(pattern, path),
        // `path` is `~/…` or `/…`: try the pattern behind each slash. A path may have thousands, nearly all of which the first
        // letter tells apart.
        Some(pattern) => {
            let first = pattern.as_bytes().first().map(u8::to_ascii_lowercase);
            path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..)).any(|below| {
                below.as_bytes().first().map(u8::to_ascii_lowercase) == first && is_at_or_above(pattern, below)
            })
        }
    }
}

/// Whether `pattern` is `path` or one of the folders above it.
fn is_at_or_above(pattern: &str, path: &str) -> bool {
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(start) => (start, true),
        None => (pattern, false),
    };
    let Some((start, rest)) = path.split_at_checked(pattern.len()) else { return false };
    start.eq_ignore_ascii_case(pattern) && (open || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::super::{Grade, path, paths};
    use super::*;

    fn grade(text: &str) -> Option<Grade> {
        path(text).map(|row| row.grade)
    }

    #[test]
    fn never_gives_way_on_what_runs_by_itself() {
        let paths = "/proc/self/environ /proc /sys/kernel /dev/null /dev/shm/x ~/.bashrc ~/.profile ~/.ssh/authorized_keys \
            ~/.ssh/config ~/.gitconfig /etc/ld.so.preload /etc/ld.so.conf.d/x.conf /etc/crontab /etc/cron.d/x \
            /etc/systemd/system/x.service /etc/profile.d/x.sh /service/x/run /etc/s6-overlay/scripts/x \
            /etc/cont-init.d/10-x /docker-entrypoint.sh /docker-entrypoint.d/x.sh /usr/local/bin/docker-entrypoint.sh \
            /docker-entrypoint-initdb.d/x.sql /entrypoint.sh /init /etc/apt/apt.conf.d/x /etc/dnf/plugins/x.conf \
            /var/lib/dpkg/info/x.postinst /etc/kubernetes/manifests/x.yaml ~/.vimrc ~/.config/nvim/init.lua ~/.nanorc \
            ~/.zshrc ~/.config/fish/config.fish ~/.bash_completion ~/.npm-global/bin/x ~/bin/x ~/.mavenrc \
            ~/.gradle/init.gradle ~/.docker/cli-plugins/docker-x ~/.claude/settings.json ~/.config/secrets/config.toml";
        for path in paths.split_whitespace() {
            assert_eq!(grade(path), Some(Grade::Hard), "{path}");
        }
    }

    #[test]
    fn reserves_start_up_files_of_every_home() {
        let paths = "/root/.bashrc /home/bob/.ssh/authorized_keys /workspace/.gitconfig /Users/bob/.zshrc \
            ~/src/repo/.git/hooks/pre-commit ~/.BASHRC /ETC/Crontab ~/.config/systemd/user/x.service";
        for path in paths.split_whitespace() {
            assert_eq!(grade(path), Some(Grade::Hard), "{path}");
        }
    }

    #[test]
    fn lets_an_organization_allow_what_redirects_or_intercepts() {
        let paths = "/etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/source/anchors/corp.pem /etc/hosts \
            /usr/local/share/ca-certificates/corp.crt /etc/resolv.conf ~/.cargo/config.toml ~/.aws/config ~/.curlrc \
            /etc/yum.repos.d/corp.repo ~/.config/containers/registries.conf";
        for path in paths.split_whitespace() {
            assert_eq!(grade(path), Some(Grade::Soft), "{path}");
        }
    }

    #[test]
    fn reserves_no_files_of_credentials() {
        let paths = "~/.ssh/deploy_key ~/.ssh/known_hosts ~/.netrc ~/.pypirc ~/.npmrc ~/.yarnrc.yml ~/.aws/credentials \
            ~/.config/gcloud/application_default_credentials.json ~/.git-credentials ~/.config/git/credentials \
            ~/.cargo/credentials.toml ~/.docker/config.json ~/.kube/config ~/.m2/settings.xml ~/.gradle/gradle.properties \
            ~/.gem/credentials ~/.bundle/config ~/.config/pip/pip.conf ~/.terraform.d/credentials.tfrc.json \
            ~/.config/gh/hosts.yml ~/.config/containers/auth.json ~/.my.cnf ~/.pgpass ~/.claude/.credentials.json \
            ~/.gnupg/private-keys-v1.d/x.key /etc/apt/auth.conf.d/corp.conf /etc/pip.conf /etc/npmrc /etc/zypp/credentials.d/x \
            /etc/docker/certs.d/host/client.key /etc/default/app /etc/ssl/corp-ca.pem /etc/ssl/private/x.key /run/secrets/x \
            /var/run/secrets/x /var/lib/app/key /etc/app/token ~/.bashrc.d-token /opt/x/.profiles/key /procs \
            ~/.gitconfig-token /usr/local/etc/key /etc/NetworkManager/system-connections/x /usr/share/elasticsearch/config/x \
            ~/binary/token /initial /services/x";
        for path in paths.split_whitespace() {
            assert_eq!(super::super::path(path), None, "{path}");
        }
    }

    #[test]
    fn writes_each_row_so_that_it_can_match() {
        for (index, row) in paths().enumerate() {
            assert!(row.pattern.starts_with('/') || row.pattern.starts_with("~/"), "{}", row.pattern);
            assert!(!row.reason.is_empty());
            let path = row.pattern.trim_end_matches('*');
            for path in [path, &format!("{path}/below")] {
                let first = paths().position(|other| covers(other.pattern, path));
                assert_eq!(first, Some(index), "{} is covered by an earlier row", row.pattern);
            }
        }
    }
}
