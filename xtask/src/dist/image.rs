//! The module as an OCI image, in an archive of its layout
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).
//!
//! A single layer with `plugin.wasm` is what agents of Istio and Envoy Gateway look for
//! (<https://github.com/solo-io/wasm/blob/master/spec/spec-compat.md>), and Kubernetes mounts it as a volume.

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

use super::hex;

/// Name of the module in its layer.
const PLUGIN: &str = "plugin.wasm";

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The archive.
pub(super) fn archive(module: &[u8], version: &str) -> Result<Vec<u8>> {
    let layer = archived(&[(PLUGIN.to_owned(), module.to_vec())])?;
    let compressed = compressed(&layer)?;
    // The module runs everywhere, but an image must say where it runs.
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = serde_json::to_vec(&config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &compressed)],
        "annotations": {
            "org.opencontainers.image.title": "bedrock-filter",
            "org.opencontainers.image.version": version,
        },
    });
    let manifest = serde_json::to_vec(&manifest)?;
    let named = json!({
        "mediaType": MANIFEST,
        "digest": digest(&manifest),
        "size": manifest.len(),
        "annotations": { "org.opencontainers.image.ref.name": version },
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [named] });
    let mut files = vec![
        (
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        ),
        ("index.json".to_owned(), serde_json::to_vec(&index)?),
    ];
    for blob in [config, compressed, manifest] {
        let name = format!("blobs/sha256/{}", hex(&Sha256::digest(&blob)));
        files.push((name, blob));
    }
    archived(&files)
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": digest(content), "size": content.len() })
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(content)))
}

/// A tar archive of files that belong to nobody and have no time.
fn archived(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = Header::new_ustar();
        header.set_size(content.len().try_into()?);
        header.set_mode(0o444);
        header.set_mtime(0);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut writer, content)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read;

    fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            (name, content)
        });
        entries.collect()
    }

    /// The blob that a descriptor names, whose digest and size must be right.
    fn blob<'f>(files: &'f BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'f [u8] {
        let digest = descriptor["digest"].as_str().unwrap();
        let name = format!("blobs/{}", digest.replace(':', "/"));
        let content = &files[&name];
        assert_eq!(super::digest(content), digest);
        assert_eq!(descriptor["size"], content.len());
        content
    }

    /// As Istio's agent reads it.
    #[test]
    fn the_module_is_found_in_the_last_layer() {
        let module = b"\0asm and more";
        let files = files(&archive(module, "1.2.3").unwrap());
        assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
        let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
        let manifest: Value = serde_json::from_slice(blob(&files, &index["manifests"][0])).unwrap();
        let config: Value = serde_json::from_slice(blob(&files, &manifest["config"])).unwrap();
        let layer = &manifest["layers"][0];
        assert_eq!(
            layer["mediaType"],
            "application/vnd.oci.image.layer.v1.tar+gzip"
        );
        let mut content = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(blob(&files, layer));
        reader.read_to_end(&mut content).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&content));
        assert_eq!(super::tests::files(&content)["plugin.wasm"], module);
    }

    #[test]
    fn the_same_module_makes_the_same_bytes() {
        let make = || archive(b"\0asm", "1.2.3").unwrap();
        assert_eq!(make(), make());
    }
}
