//! Paths that intercept or redirect, or configure what builds: an organization may have a use for them.
//!
//! Files that mostly hold credentials (`~/.npmrc`, `~/.kube/config`, `~/.docker/config.json`) stay out, though tools take
//! more from them than that.

use super::super::Reserved;

const TRUST: &str = "decides which servers are trusted";
const HOSTS: &str = "decides which hosts are reached";
const PACKAGES: &str = "decides where packages come from";
const BUILD: &str = "changes what builds and runs code";
const REDIRECTION: &str = "redirects tools to another configuration or service";

const fn row(pattern: &'static str, reason: &'static str) -> Reserved {
    Reserved::soft(pattern, reason)
}

pub(super) const TABLE: &[Reserved] = &[
    // Interception.
    row("/etc/ssl/certs", TRUST),
    row("/etc/ssl/cert.pem", TRUST),
    row("/etc/pki/ca-trust", TRUST),
    row("/etc/pki/tls/certs", TRUST),
    row("/etc/pki/tls/cert.pem", TRUST),
    row("/etc/pki/nssdb", TRUST),
    row("/etc/ca-certificates*", TRUST),
    row("/usr/share/ca-certificates", TRUST),
    row("/usr/local/share/ca-certificates", TRUST),
    row("/usr/share/pki/ca-trust-source", TRUST),
    row("/etc/ssh/ssh_known_hosts*", TRUST),
    row("/etc/containers/policy.json", TRUST),
    row("~/.config/containers/policy.json", TRUST),
    row("~/.pki/nssdb", TRUST),
    row("/etc/hosts", HOSTS),
    row("/etc/resolv.conf", HOSTS),
    row("/etc/krb5.conf", HOSTS),
    row("/etc/krb5.conf.d", HOSTS),
    // Redirections.
    row("/etc/yum.repos.d", PACKAGES),
    row("/etc/zypp/repos.d", PACKAGES),
    row("/etc/zypp/services.d", PACKAGES),
    row("/etc/containers/registries*", REDIRECTION),
    row("/etc/containers/containers.conf*", REDIRECTION),
    row("/etc/containers/storage.conf", REDIRECTION),
    row("~/.config/containers/registries*", REDIRECTION),
    row("~/.config/containers/containers.conf*", REDIRECTION),
    row("~/.config/containers/storage.conf", REDIRECTION),
    row("~/.docker/contexts", REDIRECTION),
    row("~/.aws/config", REDIRECTION),
    row("~/.curlrc", REDIRECTION),
    row("~/.wgetrc", REDIRECTION),
    row("~/.condarc", REDIRECTION),
    row("~/.config/uv", REDIRECTION),
    // Compilers and runners.
    row("~/.cargo/config", BUILD),
    row("~/.cargo/config.toml", BUILD),
    row("~/.config/go/env", BUILD),
    row("~/.yarnrc", BUILD),
    row("~/pytest.ini", BUILD),
    row("~/.pytest.ini", BUILD),
];
