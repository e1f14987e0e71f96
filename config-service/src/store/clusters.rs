//! Clusters that Envoys may have, kept so that a restart does not take them away from requests in
//! progress.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::issued::milliseconds;
use super::{Store, StoreError, json};
use crate::cluster::{Cluster, MAX_RETIRED};

/// How long to keep a retired cluster, for Envoys that were disconnected.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A cluster without the secret with which Envoy signs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct KeptCluster {
    pub(crate) cluster: Cluster,
    /// Access key id of that secret, if there is one.
    pub(crate) signed_with: Option<String>,
}

impl Store {
    /// Stores the published clusters; those that are no longer among them become retired.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn keep_clusters(
        &self,
        published: &BTreeSet<Cluster>,
    ) -> Result<(), StoreError> {
        let kept: Vec<_> = published.iter().map(KeptCluster::new).collect();
        let document = json(&kept)?;
        let now = milliseconds(SystemTime::now());
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "UPDATE published_clusters SET retired_at = ?1 WHERE retired_at IS NULL \
             AND name NOT IN (SELECT value ->> '$.cluster.name' FROM json_each(?2))",
        )
        .bind(now)
        .bind(&document)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO published_clusters (name, document) \
             SELECT value ->> '$.cluster.name', value FROM json_each(?1) WHERE true \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document, retired_at = NULL",
        )
        .bind(&document)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM published_clusters WHERE retired_at < ?1 OR retired_at IS NOT NULL \
             AND name NOT IN (SELECT name FROM published_clusters WHERE retired_at IS NOT NULL \
             ORDER BY retired_at DESC, name LIMIT ?2)",
        )
        .bind(now.saturating_sub(i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX)))
        .bind(i64::try_from(MAX_RETIRED).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// All stored clusters, the latest retired first. Those that can no longer be read are left
    /// out.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn kept_clusters(&self) -> Result<Vec<KeptCluster>, StoreError> {
        let documents: Vec<String> = sqlx::query_scalar(
            "SELECT document FROM published_clusters ORDER BY retired_at IS NOT NULL, \
             retired_at DESC, name",
        )
        .fetch_all(&self.pool)
        .await?;
        let read = documents.iter().map(|text| serde_json::from_str(text));
        Ok(read.filter_map(Result::ok).collect())
    }
}

impl KeptCluster {
    fn new(cluster: &Cluster) -> Self {
        let signing = cluster.signing.as_ref();
        Self {
            signed_with: signing.map(|key| key.access_key_id.clone()),
            cluster: Cluster {
                signing: None,
                ..cluster.clone()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{SigningKey, Transport};
    use crate::seal::Sealer;
    use crate::store::Creation;
    use bedrock_filter::config::Generation;
    use bedrock_filter::secret::Secret;

    fn cluster(name: &str) -> Cluster {
        Cluster {
            name: name.to_owned(),
            hosts: Vec::new(),
            transport: Transport::Tls,
            stage: Some(Generation::new(7)),
            signing: None,
        }
    }

    async fn names(store: &Store) -> Vec<String> {
        let kept = store.kept_clusters().await.unwrap();
        kept.into_iter().map(|kept| kept.cluster.name).collect()
    }

    #[tokio::test]
    async fn what_was_published_is_kept_and_the_latest_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("channels.db");
        let store = Store::serve(&file, Sealer::default(), Creation::Asked)
            .await
            .unwrap();
        for set in [["a", "b"], ["b", "c"], ["c", "d"]] {
            let set = set.map(cluster).into();
            store.keep_clusters(&set).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(names(&store).await, ["c", "d", "b", "a"]);
        store
            .keep_clusters(&["a"].map(cluster).into())
            .await
            .unwrap();
        assert_eq!(names(&store).await, ["a", "c", "d", "b"]);
        let kept = store.kept_clusters().await.unwrap();
        assert_eq!(kept[0].cluster, cluster("a"));
    }

    #[tokio::test]
    async fn no_secret_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("channels.db");
        let store = Store::serve(&file, Sealer::default(), Creation::Asked)
            .await
            .unwrap();
        let signed = Cluster {
            signing: Some(SigningKey {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: Secret::new("hush"),
                session_token: None,
            }),
            ..cluster("a")
        };
        store
            .keep_clusters(&BTreeSet::from([signed]))
            .await
            .unwrap();
        let kept = store.kept_clusters().await.unwrap();
        assert_eq!(kept[0].signed_with.as_deref(), Some("AKIDEXAMPLE"));
        store.close().await;
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"hush"));
    }

    #[tokio::test]
    async fn only_a_limited_number_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("channels.db");
        let store = Store::serve(&file, Sealer::default(), Creation::Asked)
            .await
            .unwrap();
        let many = (0..MAX_RETIRED + 5).map(|number| cluster(&format!("{number:04}")));
        store.keep_clusters(&many.collect()).await.unwrap();
        store.keep_clusters(&BTreeSet::new()).await.unwrap();
        assert_eq!(names(&store).await.len(), MAX_RETIRED);
    }
}
