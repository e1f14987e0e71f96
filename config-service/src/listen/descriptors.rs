//! File descriptors, which both ports, the database and calls to AWS share.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

use super::Places;

/// The admin port gets one in so many.
const SHARE_OF_ADMINS: u64 = 4;

/// The xDS port gets one in so many.
const SHARE_OF_ENVOYS: u64 = 2;

/// Takes as many descriptors as the system lets the process have.
///
/// The lower limit that most systems start processes with is for programs that cannot handle more than 1024.
pub fn take_all() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%error, ?current, ?maximum, "the limit of open files cannot be raised");
    }
}

/// Connections that the admin port may have, at most as many as wanted.
pub(crate) fn places_for_admins(wanted: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    let most = share(descriptors, SHARE_OF_ADMINS).min(wanted);
    if most < wanted {
        tracing::warn!(
            descriptors,
            wanted,
            connections = most,
            "fewer connections to the admin port than --max-connections says, so that Envoys and the \
             database have file descriptors; raise the limit of open files"
        );
    }
    most
}

/// Connections that the xDS port may have. Many Envoys may have one address.
pub(crate) fn places_for_envoys() -> Places {
    let descriptors = getrlimit(Resource::Nofile).current;
    let all = share(descriptors, SHARE_OF_ENVOYS);
    Places {
        all,
        per_address: all,
    }
}

/// A share of the descriptors; without a limit there is no end of them.
fn share(descriptors: Option<u64>, of: u64) -> usize {
    let share = descriptors.and_then(|limit| usize::try_from(limit / of).ok());
    share.unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_gets_its_share_and_never_nothing() {
        assert_eq!(share(Some(1024), SHARE_OF_ADMINS), 256);
        assert_eq!(share(Some(256), SHARE_OF_ADMINS), 64);
        assert_eq!(share(Some(256), SHARE_OF_ENVOYS), 128);
        assert_eq!(share(Some(3), SHARE_OF_ADMINS), 1);
        assert_eq!(share(None, SHARE_OF_ADMINS), Semaphore::MAX_PERMITS);
    }
}
