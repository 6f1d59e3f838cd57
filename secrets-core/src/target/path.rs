//! Where files may be written, and with which permissions.

use std::fmt;
use std::str::FromStr;

use crate::reserved::{self, Grade, Reserved};
use crate::text::{Shown, is_invisible};

/// Linux's `PATH_MAX`, in bytes.
const MAX_PATH_BYTES: usize = 4096;
/// Linux's `NAME_MAX`, in bytes.
const MAX_SEGMENT_BYTES: usize = 255;

/// The path of a file: absolute, or in the home folder of whoever gets it, as `~/…`.
///
/// In normal form, so that a path has one spelling: no `.`, `..` or empty segments and no slash at the end. Start-up
/// files and other paths of the grade [`Grade::Hard`] are refused; [`FilePath::reserved`] tells of the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Box<str>);

/// Permissions of a file: a part of `0777` without the right of others to write, `0600` unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileMode(u32);

/// Why a text is not a valid path of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilePath {
    /// It starts neither with `/` nor with `~/`.
    #[error("path must start with `/` or `~/`")]
    Relative,
    /// It is longer than 4,096 bytes.
    #[error("path must be at most {MAX_PATH_BYTES} bytes (got {length})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// One of its segments is longer than 255 bytes.
    #[error("each part of a path must be at most {MAX_SEGMENT_BYTES} bytes (got {length})")]
    SegmentTooLong {
        /// The length of the segment in bytes.
        length: usize,
    },
    /// It has a character that a reader would not see, NUL above all.
    #[error("invalid {} at byte {at} of path; expected visible characters", Shown(*found))]
    Character {
        /// The first such character.
        found: char,
        /// Its offset in bytes.
        at: usize,
    },
    /// It contains a `..` segment.
    #[error("path must not contain `..`; write out the path that it leads to")]
    Escapes,
    /// It has a `.` segment, an empty one, or a slash at the end.
    #[error("path must not contain `.` or empty parts, nor end with a slash; separate its parts with single slashes")]
    NotNormal,
    /// A row of the table of reserved paths covers it.
    #[error(
        "path is reserved by `{}` ({}); choose a file of your own, such as `~/.config/my-app/token` or `/run/secrets/token`",
        .0.pattern, .0.reason
    )]
    Reserved(&'static Reserved),
}

/// Permissions that a file can't have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFileMode {
    /// The text is no octal number.
    #[error("mode must be an octal number such as `0600`")]
    NotOctal,
    /// There are bits outside `0777`.
    #[error("mode `{mode:04o}` must have no bits outside `0777`; try `0600`")]
    OutOfRange {
        /// The permissions that were given.
        mode: u32,
    },
    /// Everybody could write.
    #[error("mode `{mode:04o}` lets everybody write; did you mean `{:04o}`?", mode & !0o002)]
    WorldWritable {
        /// The permissions that were given.
        mode: u32,
    },
}

impl FilePath {
    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind `~/`, for a path in the home folder.
    pub fn in_home(&self) -> Option<&str> {
        self.0.strip_prefix("~/")
    }

    /// The row of the tables that reserves it, if there is one: a soft one, unless the path was stored before the row.
    pub fn reserved(&self) -> Option<&'static Reserved> {
        reserved::path(&self.0)
    }

    /// Reads a path that was stored, when the tables may have been others: only its form is checked.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidFilePath> {
        let Some(below) = text.strip_prefix("~/").or_else(|| text.strip_prefix('/')) else {
            return Err(InvalidFilePath::Relative);
        };
        if text.len() > MAX_PATH_BYTES {
            return Err(InvalidFilePath::TooLong { length: text.len() });
        }
        if let Some((at, found)) = text.char_indices().find(|&(_, c)| is_invisible(c)) {
            return Err(InvalidFilePath::Character { found, at });
        }
        if below.split('/').any(|segment| segment == "..") {
            return Err(InvalidFilePath::Escapes);
        }
        if below.split('/').any(|segment| matches!(segment, "" | ".")) {
            return Err(InvalidFilePath::NotNormal);
        }
        if let Some(segment) = below.split('/').find(|segment| segment.len() > MAX_SEGMENT_BYTES) {
            return Err(InvalidFilePath::SegmentTooLong { length: segment.len() });
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for FilePath {
    type Err = InvalidFilePath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = Self::parse_stored(text)?;
        match path.reserved() {
            Some(reserved) if reserved.grade == Grade::Hard => Err(InvalidFilePath::Reserved(reserved)),
            _ => Ok(path),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FileMode {
    /// Accepts a part of `0777` in which others can't write.
    pub const fn new(mode: u32) -> Result<Self, InvalidFileMode> {
        if mode & !0o777 != 0 {
            return Err(InvalidFileMode::OutOfRange { mode });
        }
        if mode & 0o002 != 0 {
            return Err(InvalidFileMode::WorldWritable { mode });
        }
        Ok(Self(mode))
    }

    /// The permission bits.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// `0600`: the owner reads and writes.
impl Default for FileMode {
    fn default() -> Self {
        Self(0o600)
    }
}

/// Reads octal digits, with or without zeros or `0o` before them: `600`, `0600`, `0o600`.
impl FromStr for FileMode {
    type Err = InvalidFileMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidFileMode::NotOctal);
        }
        Self::new(u32::from_str_radix(digits, 8).map_err(|_| InvalidFileMode::NotOctal)?)
    }
}

/// Four octal digits: `0600`.
impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_paths_in_normal_form() {
        let longest = format!("/{}", vec!["a".repeat(254); 16].join("/") + "/" + &"b".repeat(15));
        assert_eq!(longest.len(), 4096);
        for text in [
            "/etc/ssl/corp-ca.pem",
            "~/.ssh/deploy_key",
            "~/.netrc",
            "~/.aws/credentials",
            "/run/secrets/token",
            "/a",
            "~/a",
            "/srv/..a/b..",
            "/srv/.../x",
            "/srv/a b",
            "/srv/schlüssel",
            "~/.kube/config",
            "/tmp/~/x",
            "/processes/x",
            "/devices",
            "/etc/app/cron.key",
            "/usr/local/share/ca-certificates/corp.crt",
            &longest,
        ] {
            assert_eq!(text.parse::<FilePath>().map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn refuses_other_paths() {
        use InvalidFilePath::*;
        for (text, error) in [
            ("", Relative),
            ("key", Relative),
            ("./key", Relative),
            ("../key", Relative),
            ("~", Relative),
            ("~bob/key", Relative),
            ("$HOME/key", Relative),
            ("C:\\key", Relative),
            ("/", NotNormal),
            ("~/", NotNormal),
            ("//etc/key", NotNormal),
            ("/srv//key", NotNormal),
            ("/srv/key/", NotNormal),
            ("/srv/./key", NotNormal),
            ("~/../bob/key", Escapes),
            ("/srv/a/..", Escapes),
            ("/srv/../etc/key", Escapes),
            ("/srv/a\0b", Character { found: '\0', at: 6 }),
            ("/srv/a\nb", Character { found: '\n', at: 6 }),
            ("/srv/a\u{202E}b", Character { found: '\u{202E}', at: 6 }),
            (&*format!("/srv/{}", "a".repeat(256)), SegmentTooLong { length: 256 }),
            (&*format!("/{}", "a/".repeat(2048)), TooLong { length: 4097 }),
        ] {
            assert_eq!(text.parse::<FilePath>(), Err(error), "{text:?}");
        }
        assert!(matches!("~/.bashrc".parse::<FilePath>(), Err(Reserved(_))));
    }

    #[test]
    fn tells_of_paths_that_an_organization_has_to_allow() {
        let path: FilePath = "~/.cargo/config.toml".parse().unwrap();
        assert_eq!(path.reserved().map(|row| row.grade), Some(Grade::Soft));
        assert_eq!("~/.cargo/credentials.toml".parse::<FilePath>().unwrap().reserved(), None);
    }

    #[test]
    fn reads_a_path_that_was_stored_before_it_was_reserved() {
        let path = FilePath::parse_stored("~/.bashrc").unwrap();
        assert_eq!(path.reserved().map(|row| row.grade), Some(Grade::Hard));
        assert_eq!(FilePath::parse_stored("~/../x"), Err(InvalidFilePath::Escapes));
    }

    #[test]
    fn says_what_is_expected() {
        for (text, message) in [
            ("key", "path must start with `/` or `~/`"),
            ("/a\0", "invalid character U+0000 at byte 2 of path; expected visible characters"),
            (
                "~/.ssh/authorized_keys",
                "path is reserved by `~/.ssh/authorized_keys` (decides who may sign in); choose a file of your own, such \
                 as `~/.config/my-app/token` or `/run/secrets/token`",
            ),
        ] {
            assert_eq!(text.parse::<FilePath>().unwrap_err().to_string(), message);
        }
        for path in ["~/.config/my-app/token", "/run/secrets/token"] {
            assert!(path.parse::<FilePath>().is_ok());
        }
    }

    #[test]
    fn accepts_modes_in_which_others_cannot_write() {
        for mode in 0..0o1000 {
            assert_eq!(FileMode::new(mode).is_ok(), mode & 2 == 0, "{mode:o}");
        }
        for (text, mode) in [("0600", 0o600), ("600", 0o600), ("0o644", 0o644), ("0", 0), ("00755", 0o755)] {
            assert_eq!(text.parse::<FileMode>().unwrap().bits(), mode);
        }
        assert_eq!(FileMode::default().to_string(), "0600");
    }

    #[test]
    fn refuses_other_modes() {
        for (text, message) in [
            ("", "mode must be an octal number such as `0600`"),
            ("rw-", "mode must be an octal number such as `0600`"),
            ("0888", "mode must be an octal number such as `0600`"),
            ("+600", "mode must be an octal number such as `0600`"),
            ("77777777777777", "mode must be an octal number such as `0600`"),
            ("4755", "mode `4755` must have no bits outside `0777`; try `0600`"),
            ("0666", "mode `0666` lets everybody write; did you mean `0664`?"),
        ] {
            assert_eq!(text.parse::<FileMode>().unwrap_err().to_string(), message, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn accepts_no_path_that_climbs_or_has_two_spellings(text in "(/|~/)?([a.~]{0,3}/){0,4}[a.~\0]{0,3}") {
            if let Ok(path) = text.parse::<FilePath>() {
                let below = path.in_home().unwrap_or_else(|| path.as_str().trim_start_matches('/'));
                prop_assert!(below.split('/').all(|segment| !matches!(segment, "" | "." | "..")));
                prop_assert!(!text.contains('\0'));
                prop_assert_eq!(path.as_str(), text);
            }
        }
    }
}
