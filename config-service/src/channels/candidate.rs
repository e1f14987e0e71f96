//! A channel that is about to be stored, among those already stored.

use super::EditError;
use crate::channel::{Channel, StoredChannel};
use crate::fault::Fault;
use crate::store::Contents;

/// The channel with this id.
pub(super) fn find<'a>(contents: &'a Contents, id: &str) -> Result<&'a StoredChannel, EditError> {
    contents
        .channels
        .iter()
        .find(|stored| stored.id == id)
        .ok_or_else(|| EditError::NotFound(id.to_owned()))
}

/// Whether a channel other than `id` has the name.
pub(super) fn name_taken(contents: &Contents, id: Option<&str>, after: &Channel) -> bool {
    contents
        .channels
        .iter()
        .any(|stored| stored.channel.name == after.name && Some(stored.id.as_str()) != id)
}

/// A reference to a credential that does not exist.
pub(super) fn unknown_credential(at: &str, name: &str) -> Fault {
    let message = format!("there is no credential with the name `{name}`; create it first");
    Fault::new(format!("/credentials{at}"), "unknown_credential", message)
}

/// `after` as it would be stored.
pub(super) fn as_stored(before: Option<&StoredChannel>, after: &Channel) -> StoredChannel {
    StoredChannel {
        id: before.map(|stored| stored.id.clone()).unwrap_or_default(),
        channel: after.clone(),
        revision: 0,
        created_at: String::new(),
        updated_at: String::new(),
        discovery: before.and_then(|stored| stored.discovery.clone()),
    }
}

/// Adds what the compiler found in the channel at `index`, unless it is known already.
pub(super) fn add_own_faults(faults: &mut Vec<Fault>, found: &[Fault], index: usize) {
    let prefix = format!("/channels/{index}");
    let already = faults.clone();
    let region_unknown = already.iter().any(|fault| fault.touches("/region"));
    for fault in found {
        let Some(pointer) = fault.pointer.strip_prefix(&prefix) else {
            continue;
        };
        let about_another = !pointer.is_empty() && !pointer.starts_with('/');
        // Found with a placeholder region, because the real one could not be read.
        let spurious = region_unknown && fault.code == "region_mismatch";
        let known = already.iter().any(|known| known.touches(pointer));
        if !(about_another || spurious || known) {
            faults.push(Fault::new(pointer, fault.code, fault.message.clone()));
        }
    }
}
