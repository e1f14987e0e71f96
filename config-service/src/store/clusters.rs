//! Clusters that Envoys may have, kept so that neither a restart nor the next exported manifest takes them away from
//! requests in progress.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::issued::milliseconds;
use super::{Store, StoreError, json};
use crate::cluster::{Cluster, EXPORTED, MAX_RETIRED};

/// How long Envoys that were disconnected still find a retired cluster.
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
        .bind(before(now, EXPORTED))
        .bind(i64::try_from(MAX_RETIRED).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The published clusters and those that retired within a day, the latest retired first. Those that can no longer
    /// be read are left out.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn kept_clusters(&self) -> Result<Vec<KeptCluster>, StoreError> {
        let now = milliseconds(SystemTime::now());
        let documents: Vec<String> = sqlx::query_scalar(
            "SELECT document FROM published_clusters WHERE retired_at IS NULL OR retired_at >= ? \
             ORDER BY retired_at IS NOT NULL, retired_at DESC, name",
        )
        .bind(before(now, KEPT))
        .fetch_all(&self.pool)
        .await?;
        Ok(read(&documents))
    }

    /// The clusters that retired within [`EXPORTED`], the latest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn retired_clusters(&self) -> Result<Vec<KeptCluster>, StoreError> {
        let now = milliseconds(SystemTime::now());
        let documents: Vec<String> = sqlx::query_scalar(
            "SELECT document FROM published_clusters WHERE retired_at >= ? \
             ORDER BY retired_at DESC, name",
        )
        .bind(before(now, EXPORTED))
        .fetch_all(&self.pool)
        .await?;
        Ok(read(&documents))
    }
}

/// The time that was so long before `now`, in milliseconds.
fn before(now: i64, ago: Duration) -> i64 {
    now.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
}

fn read(documents: &[String]) -> Vec<KeptCluster> {
    let read = documents.iter().map(|text| serde_json::from_str(text));
    read.filter_map(Result::ok).collect()
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
    async fn manifests_have_a_retired_cluster_longer_than_envoys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("channels.db");
        let store = Store::serve(&file, Sealer::default(), Creation::Asked)
            .await
            .unwrap();
        let exported = async || {
            let retired = store.retired_clusters().await.unwrap();
            retired.into_iter().map(|kept| kept.cluster.name).collect()
        };
        let ago = async |days: i64| {
            let at = milliseconds(SystemTime::now()) - days * 24 * 3_600_000 - 1;
            sqlx::query(
                "UPDATE published_clusters SET retired_at = ? WHERE retired_at IS NOT NULL",
            )
            .bind(at)
            .execute(&store.pool)
            .await
            .unwrap();
        };
        let publish = async |names: [&str; 1]| {
            let clusters = names.map(cluster).into();
            store.keep_clusters(&clusters).await.unwrap();
        };
        publish(["a"]).await;
        publish(["b"]).await;
        assert_eq!(names(&store).await, ["b", "a"]);
        let retired: Vec<String> = exported().await;
        assert_eq!(retired, ["a"], "what is published is not retired");
        ago(1).await;
        assert_eq!(names(&store).await, ["b"]);
        assert_eq!(exported().await, ["a"]);
        ago(30).await;
        assert!(exported().await.is_empty());
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
