//! Whom anything may be sent to: hosts that the administrator listed, and no others.
//!
//! A name of the list must lead to public addresses; one that leads into the own network is refused, whoever controls its
//! entry in the register of names, unless it is listed among the private ones.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The administrator's list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllowedHosts {
    /// `host` or `host:port`: reached by HTTPS, at public addresses.
    pub public: Vec<String>,
    /// `host` or `host:port` inside the own network; HTTP is allowed there.
    pub private: Vec<String>,
}

impl AllowedHosts {
    /// Checks an address before anything is sent there.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(format!("{url} names no host"));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let private = listed(&self.private, host, port, url);
        if !(private || listed(&self.public, host, port, url)) {
            return Err(format!(
                "host {host}:{port} is not on the administrator's list ([delivery] allowed_hosts, allowed_private_hosts)"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address carries a name or password; secrets come from environment or file".to_owned());
        }
        match url.scheme() {
            "https" => {}
            "http" if private => {}
            other => return Err(format!("{other}: only https is allowed (http for hosts of allowed_private_hosts)")),
        }
        match host.parse::<IpAddr>() {
            Ok(address) if !private && is_private(address) => {
                Err(format!("{address} lies in a private network; list it in allowed_private_hosts if that is meant"))
            }
            _ => Ok(()),
        }
    }

    fn is_private_name(&self, host: &str) -> bool {
        self.private.iter().any(|entry| entry.eq_ignore_ascii_case(host) || split(entry).0.eq_ignore_ascii_case(host))
    }
}

/// An entry without a port means the usual port of the scheme.
fn listed(entries: &[String], host: &str, port: u16, url: &Url) -> bool {
    entries.iter().any(|entry| {
        let (name, its_port) = split(entry);
        let usual = match url.scheme() {
            "https" => 443,
            _ => 80,
        };
        name.eq_ignore_ascii_case(host) && its_port.unwrap_or(usual) == port
    })
}

fn split(entry: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|entry| entry.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        _ => (entry, None),
    }
}

/// True for every address that is not of the public internet.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => {
            let parts = address.segments();
            let inner = match parts {
                [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
                    Some(Ipv4Addr::from(u32::from(parts[6]) << 16 | u32::from(parts[7])))
                }
                [0x2002, high, low, ..] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
                _ => None,
            };
            inner.is_some_and(is_private_v4)
                || address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || parts[0] & 0xffc0 == 0xfec0
        }
    }
}

const fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || (a == 100 && b >= 64 && b < 128)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
}

/// Looks names up, and leaves out addresses that a name must not lead to. What is connected to is what was looked at: the
/// name is not looked up a second time.
#[derive(Clone, Debug)]
pub struct ListedNames(pub Arc<AllowedHosts>);

impl Resolve for ListedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let private = hosts.is_private_name(&host);
            let kept: Vec<SocketAddr> =
                found.into_iter().filter(|address| private || !is_private(address.ip())).collect();
            if kept.is_empty() {
                let message =
                    format!("{host} leads into a private network; list it in allowed_private_hosts if that is meant");
                return Err(message.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_36_only_what_the_administrator_listed() {
        let hosts = AllowedHosts {
            public: vec!["tracker.example".to_owned(), "8.8.8.8:8443".to_owned(), "10.0.0.9".to_owned()],
            private: vec!["127.0.0.1:8080".to_owned(), "redmine.intranet".to_owned(), "[::1]:90".to_owned()],
        };
        let told = |text: &str| hosts.check(&text.parse().expect("an address")).err().unwrap_or_default();
        for fine in [
            "https://tracker.example/hook",
            "https://TRACKER.example:443/hook",
            "https://8.8.8.8:8443/",
            "http://127.0.0.1:8080/x",
            "http://redmine.intranet/issues.json",
            "http://[::1]:90/",
        ] {
            assert_eq!(told(fine), "", "{fine}");
        }
        for (refused, why) in [
            ("https://other.example/", "not on the administrator's list"),
            ("https://tracker.example.evil.example/", "not on the administrator's list"),
            ("https://tracker.example:8443/", "not on the administrator's list"),
            ("http://tracker.example/", "only https"),
            ("http://127.0.0.1:8081/", "not on the administrator's list"),
            ("http://169.254.169.254/latest/meta-data", "not on the administrator's list"),
            ("https://10.0.0.9/", "private network"),
            ("https://user:pass@tracker.example/", "name or password"),
            ("file:///etc/passwd", "names no host"),
            ("ftp://tracker.example/", "not on the administrator's list"),
        ] {
            assert!(told(refused).contains(why), "{refused}: {}", told(refused));
        }
    }

    #[test]
    fn addresses_of_own_networks_in_every_dress() {
        let private = |text: &str| is_private(text.parse().expect("an address"));
        for own in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
        ] {
            assert!(private(own), "{own}");
        }
        for public in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(!private(public), "{public}");
        }
    }
}
