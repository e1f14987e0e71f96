//! The first channels of a new database, from the environment.

use std::sync::Arc;

use super::candidate::as_stored;
use super::{Channels, EditError, FIRST_ANSWERS, Inner, Request};
use crate::environment::{self, Described, EnvironmentError, Variables};
use crate::store::StoreError;

/// The author of these channels in the history.
const AUTHOR: &str = "environment";

/// Why the first channels cannot be created. Then none is.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    /// The environment does not describe valid channels.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The service is stopping.
    #[error("the first channels were not created: the edit was interrupted")]
    Interrupted,
}

impl Channels {
    /// Creates the channels that the variables describe, all or none, in a database that has never had an
    /// edit; and waits a little for their credentials.
    ///
    /// # Errors
    ///
    /// When one of them is not valid; the error names the variable.
    pub(crate) async fn create_first(&self, variables: &Variables) -> Result<(), FirstError> {
        let contents = self.list().await?;
        if contents.revision > 0 || !contents.channels.is_empty() {
            tracing::info!(
                "the channels that the environment describes are not created: the database has been edited"
            );
            return Ok(());
        }
        let described = environment::describe(variables)?;
        if described.is_empty() {
            tracing::info!(
                "the environment describes no channel; to have one, set AWS_REGION or BEDROCK_BASE_URL"
            );
            return Ok(());
        }
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move { inner.create_first(&described).await });
        task.await.map_err(|_| FirstError::Interrupted)??;
        if self.inner.keeper.settle(FIRST_ANSWERS).await
            && let Err(error) = self.renew().await
        {
            tracing::error!(%error, "the first credentials could not be published yet");
        }
        Ok(())
    }
}

impl Inner {
    async fn create_first(&self, described: &[Described]) -> Result<(), FirstError> {
        let publisher = self.publisher.lock().await;
        let mut contents = self.store.contents().await?;
        let (first, mut channels, mut last) = (contents.revision + 1, Vec::new(), None);
        for own in described {
            let checked = self.read(&contents, &Request::Create, &own.body());
            let checked = checked.and_then(|candidate| {
                let snapshot = self.judge(&contents, &candidate)?;
                Ok((candidate.after, snapshot))
            });
            let (channel, snapshot) = checked.map_err(|error| refused(own, error))?;
            contents.revision += 1;
            contents.channels.push(as_stored(None, &channel));
            channels.push(channel);
            last = Some(snapshot);
        }
        let Some(snapshot) = last else {
            return Ok(());
        };
        let created = self.store.create_all(first, AUTHOR, &channels).await?;
        for (stored, own) in created.iter().zip(described) {
            let (channel, variables) = (&stored.channel.name, own.variables());
            tracing::info!(channel, variables, "channel created from the environment");
        }
        self.publish(&publisher, snapshot).await;
        self.keeper.sync(&created);
        Ok(())
    }
}

/// Every fault with the variable that it comes from.
fn refused(own: &Described, error: EditError) -> FirstError {
    let faults = match error {
        EditError::Store(error) => return FirstError::Store(error),
        error => error.faults().unwrap_or_default(),
    };
    let faults = faults.iter().map(|fault| {
        let variable = own.variable(&fault.pointer);
        format!("{variable} {}", fault.message)
    });
    EnvironmentError::Invalid(faults.collect()).into()
}
