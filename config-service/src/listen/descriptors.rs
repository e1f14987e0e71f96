//! File descriptors, which the ports, the database and calls to AWS share.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

use super::Places;

/// The admin port gets one in this many.
const SHARE_OF_ADMINS: u64 = 4;

/// The xDS port gets one in this many.
const SHARE_OF_ENVOYS: u64 = 2;

/// Raises the limit of descriptors as far as the system allows.
///
/// The lower limit with which most systems start processes is for programs that cannot handle more than 1024.
pub fn take_all() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%error, ?current, ?maximum, "the limit on open files cannot be raised");
    }
}

/// The connections that the admin port may have, at most as many as wanted.
pub(crate) fn places_for_admins(wanted: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    let most = share(descriptors, SHARE_OF_ADMINS).min(wanted);
    if most < wanted {
        tracing::warn!(
            descriptors,
            wanted,
            connections = most,
            "the admin port gets fewer connections than --max-connections allows, to leave file \
             descriptors for Envoys and the database; raise the limit on open files (ulimit -n)"
        );
    }
    most
}

/// The connections that the xDS port may have. Many Envoys may share one address.
pub(crate) fn places_for_envoys() -> Places {
    let descriptors = getrlimit(Resource::Nofile).current;
    let all = share(descriptors, SHARE_OF_ENVOYS);
    Places {
        all,
        per_address: all,
    }
}

/// A share of the descriptors, which are unlimited if there is no limit.
fn share(descriptors: Option<u64>, of: u64) -> usize {
    let share = descriptors.and_then(|limit| usize::try_from(limit / of).ok());
    share.unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_gets_its_share_and_at_least_one() {
        assert_eq!(share(Some(1024), SHARE_OF_ADMINS), 256);
        assert_eq!(share(Some(256), SHARE_OF_ADMINS), 64);
        assert_eq!(share(Some(256), SHARE_OF_ENVOYS), 128);
        assert_eq!(share(Some(3), SHARE_OF_ADMINS), 1);
        assert_eq!(share(None, SHARE_OF_ADMINS), Semaphore::MAX_PERMITS);
    }
}
