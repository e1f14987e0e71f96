//! The path of an edit: read, checked, stored, published; all under the publisher's lock.

use super::beside::keep_limits;
use super::candidate::{add_own_faults, as_stored, find, name_taken, unknown_credential};
use super::{Author, EditError, Inner, Request, destination};
use crate::channel::{Channel, StoredChannel, resolve};
use crate::credentials;
use crate::edit::{Base, Edit, endpoint};
use crate::fault::{self, Fault};
use crate::publish::{Publisher, Snapshot};
use crate::store::{Change, Contents};

/// What an edit makes of a channel, before it is checked.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What is stored now, if anything.
    pub(super) before: Option<StoredChannel>,
    /// What is to be stored.
    pub(super) after: Channel,
    /// Whether its author entered the secrets; otherwise they are the stored ones, if there are any.
    pub(super) enters_secrets: bool,
    /// Faults that are already known.
    pub(super) faults: Vec<Fault>,
    /// The revision that this rolls back to, if it is a rollback.
    pub(super) restored: Option<u64>,
}

impl Inner {
    pub(super) fn compile(&self, contents: &Contents) -> Result<Snapshot, Vec<Fault>> {
        Snapshot::compile(contents, &self.settings, &self.keeper.issued())
    }

    pub(super) async fn edit(
        &self,
        author: &Author,
        request: Request,
        body: &[u8],
    ) -> Result<StoredChannel, EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let candidate = self.read(&contents, &request, body)?;
        author.check(candidate.before.as_ref())?;
        self.make(&publisher, &contents, author, &candidate).await
    }

    /// What an edit would make of a channel.
    pub(super) fn read(
        &self,
        contents: &Contents,
        request: &Request,
        body: &[u8],
    ) -> Result<Candidate, EditError> {
        let mut faults = Vec::new();
        let mut edit = Edit::parse(body, &mut faults)?;
        let before = match request {
            Request::Create => None,
            Request::Replace(id) | Request::Patch(id) => Some(find(contents, id)?.clone()),
            Request::ReplaceNamed(name) => {
                edit.check_name(name, &mut faults);
                let named = |stored: &&StoredChannel| stored.channel.name == *name;
                contents.channels.iter().find(named).cloned()
            }
        };
        let base = match (request, &before) {
            (_, None) => Base::New,
            (Request::Patch(_), Some(before)) => Base::Patch(&before.channel),
            (_, Some(before)) => Base::Replace(&before.channel),
        };
        let id = before.as_ref().map(|stored| stored.id.as_str());
        edit.check_id(id, &mut faults);
        let enters_secrets = edit.enters_secrets();
        let mut after = edit.apply(base, &mut faults);
        if let Err((at, name)) = resolve(&mut after.credentials, &contents.credentials) {
            faults.push(unknown_credential(&at, &name));
        }
        Ok(Candidate {
            before,
            after,
            enters_secrets,
            faults,
            restored: None,
        })
    }

    /// Checks a candidate, stores it and publishes it.
    pub(super) async fn make(
        &self,
        publisher: &Publisher,
        contents: &Contents,
        author: &Author,
        candidate: &Candidate,
    ) -> Result<StoredChannel, EditError> {
        if let Some(before) = &candidate.before
            && candidate.faults.is_empty()
            && before.channel == candidate.after
        {
            return Ok(before.clone());
        }
        let snapshot = self.judge(contents, candidate)?;
        let after = &candidate.after;
        let change = match &candidate.before {
            None => Change::Create(after),
            Some(before) => Change::Update {
                before,
                after,
                restored: candidate.restored,
            },
        };
        self.commit(publisher, &author.name, change, snapshot).await
    }

    pub(super) async fn delete(&self, author: &Author, id: &str) -> Result<(), EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = find(&contents, id)?;
        author.check(Some(before))?;
        let mut next = contents.clone();
        next.revision += 1;
        next.channels.retain(|stored| stored.id != id);
        let snapshot = self.compile(&next).map_err(EditError::Invalid)?;
        let change = Change::Delete(before);
        self.commit(&publisher, &author.name, change, snapshot)
            .await?;
        Ok(())
    }

    /// Compiles the configuration as it would be with a candidate; fails with everything that is wrong
    /// with it.
    pub(super) fn judge(
        &self,
        contents: &Contents,
        candidate: &Candidate,
    ) -> Result<Snapshot, EditError> {
        let (before, after) = (candidate.before.as_ref(), &candidate.after);
        let mut faults = candidate.faults.clone();
        if let Some(endpoint) = &after.endpoint
            && !self.settings.allow_link_local_endpoints
        {
            faults.extend(endpoint::check(endpoint));
        }
        faults.extend(credentials::check_channel(
            after,
            &self.settings.file_places,
        ));
        for fault in destination::check(candidate, &self.settings) {
            if !faults.iter().any(|known| known.touches(&fault.pointer)) {
                faults.push(fault);
            }
        }
        let mut next = contents.clone();
        next.revision += 1;
        let id = before.map(|stored| stored.id.as_str());
        let name_taken = name_taken(contents, id, after);
        if name_taken && !faults.iter().any(|fault| fault.touches("/name")) {
            faults.push(fault::name_taken("channel"));
        }
        let stored = as_stored(before, after);
        let index = next
            .channels
            .iter()
            .position(|stored| Some(stored.id.as_str()) == id)
            .unwrap_or(next.channels.len());
        match next.channels.get_mut(index) {
            Some(place) => *place = stored,
            None => next.channels.push(stored),
        }
        let compiled = self.compile(&next);
        if let Err(found) = &compiled {
            add_own_faults(&mut faults, found, index);
        }
        match (compiled, faults.as_slice()) {
            (Ok(snapshot), []) => Ok(snapshot),
            (Err(found), []) => Err(EditError::Invalid(found)),
            (_, [only]) if only.code == "name_taken" => {
                Err(EditError::NameTaken(after.name.clone()))
            }
            _ => Err(EditError::Invalid(faults)),
        }
    }

    /// Makes a snapshot the current one.
    pub(super) async fn publish(&self, publisher: &Publisher, snapshot: Snapshot) {
        if snapshot.clusters != publisher.current().clusters
            && let Err(error) = self.store.keep_clusters(&snapshot.clusters).await
        {
            // This matters only to requests in progress when the service restarts; the edit itself was
            // made.
            tracing::error!(%error, "clusters were not kept");
        }
        let rules = &self.settings.limit_rules;
        let values = rules.cover(&snapshot.limits, snapshot.revision).await;
        keep_limits(&self.store, values).await;
        publisher.publish(snapshot);
    }

    async fn commit(
        &self,
        publisher: &Publisher,
        actor: &str,
        change: Change<'_>,
        snapshot: Snapshot,
    ) -> Result<StoredChannel, EditError> {
        let stored = self.store.commit(snapshot.revision, actor, change).await?;
        tracing::info!(
            revision = snapshot.revision,
            action = change.action(),
            channel.id = stored.id,
            channel.name = stored.channel.name,
            actor,
            "channel edited"
        );
        self.publish(publisher, snapshot).await;
        match self.store.contents().await {
            Ok(contents) => self.keeper.sync(&contents.channels),
            // The edit was made; the next one will report it.
            Err(error) => tracing::error!(%error, "sources of credentials were not looked at"),
        }
        Ok(stored)
    }
}
