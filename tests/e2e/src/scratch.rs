//! Scratch folders under the target folder. They are removed with their owner, and kept if it
//! fails.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The folder of a stack or test.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// An empty folder. The first one in a process removes those of earlier processes, because
    /// shared stacks live as long as their process and leave theirs behind.
    pub fn new() -> Self {
        static SWEEP: Once = Once::new();
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let root = root();
        SWEEP.call_once(|| sweep(&root));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = root
            .join(process::id().to_string())
            .join(number.to_string());
        fs::create_dir_all(&folder).expect("the target folder is writable");
        Self(folder)
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Path of a file in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file atomically and returns its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let (file, draft) = (self.join(name), self.join(&format!("{name}.draft")));
        fs::write(&draft, content).expect("the scratch folder is writable");
        fs::rename(&draft, &file).expect("the scratch folder is writable");
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
            // Succeeds for the last one.
            let _ = self.0.parent().map(fs::remove_dir);
        }
    }
}

/// `tmp/e2e` in the target folder, where test programs are `<profile>/deps/<name>`.
fn root() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(3).map(Path::to_owned);
    target.unwrap_or_else(env::temp_dir).join("tmp/e2e")
}

fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let is_running = Path::new("/proc").join(entry.file_name()).exists();
        if !is_running {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
