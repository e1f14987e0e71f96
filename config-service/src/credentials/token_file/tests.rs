use std::os::unix::fs::symlink;

use super::*;
use tempfile::TempDir;

/// `{"alg":"RS256"}`, `{"sub":"x"}` and a signature.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";

/// The folder `mount` in an empty one, as the only folder from which tokens are read.
fn mount() -> (TempDir, PathBuf, Folders) {
    let dir = TempDir::new().unwrap();
    let mount = dir.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let folders = vec![mount.to_str().unwrap().parse().unwrap()];
    (dir, mount, Folders::of_tokens(folders))
}

/// What is read, or why nothing was.
fn read(folders: &Folders, file: &Path) -> Result<String, String> {
    let file = file.to_str().unwrap();
    let bytes = folders.read_now(file).map_err(|error| error.to_string())?;
    let token = token(&bytes).ok_or_else(|| TokenError::NoToken(file.to_owned()).to_string());
    token.map(|token| token.expose().to_owned())
}

#[track_caller]
fn check_refused(folders: &Folders, file: &Path, reason: &str) {
    let error = read(folders, file).unwrap_err();
    assert!(error.contains(reason), "{}: {error}", file.display());
}

#[test]
fn a_kubernetes_mount_is_read_through_its_links_and_after_each_change() {
    let (_dir, mount, folders) = mount();
    let file = mount.join("token");
    // https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/atomic_writer.go
    symlink("..data/token", &file).unwrap();
    for (number, token) in [TOKEN.to_owned(), format!("{TOKEN}Cg")].iter().enumerate() {
        let version = format!("..2026_01_31_{number}");
        std::fs::create_dir(mount.join(&version)).unwrap();
        std::fs::write(mount.join(&version).join("token"), format!("{token}\n")).unwrap();
        symlink(&version, mount.join("..data_tmp")).unwrap();
        std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
        assert_eq!(read(&folders, &file).as_ref(), Ok(token));
    }
}

#[test]
fn a_folder_may_be_reached_through_links() {
    let (dir, mount, _) = mount();
    std::fs::write(mount.join("token"), TOKEN).unwrap();
    symlink(&mount, dir.path().join("run")).unwrap();
    let folder = dir.path().join("run");
    let folders = Folders::of_tokens(vec![folder.to_str().unwrap().parse().unwrap()]);
    assert_eq!(read(&folders, &folder.join("token")), Ok(TOKEN.to_owned()));
}

#[test]
fn nothing_outside_the_folders_is_read() {
    let (dir, mount, folders) = mount();
    let outside = dir.path().join("outside");
    std::fs::write(&outside, TOKEN).unwrap();
    let named = "--token-file-dirs";
    check_refused(&folders, &outside, named);
    check_refused(&folders, Path::new("/proc/self/environ"), named);
    check_refused(&folders, &dir.path().join("mount-2/token"), named);
    check_refused(&folders, &mount, named);
    check_refused(&folders, &mount.join("../outside"), "without `..`");
    check_refused(&folders, Path::new("mount/token"), "absolute");
    for (name, target) in [
        ("absolute", outside.as_path()),
        ("relative", Path::new("../outside")),
        ("process", Path::new("/proc/self/environ")),
        ("same", &mount.join("token")),
    ] {
        symlink(target, mount.join(name)).unwrap();
        check_refused(&folders, &mount.join(name), "a link leads out of");
    }
    symlink(dir.path(), mount.join("above")).unwrap();
    check_refused(
        &folders,
        &mount.join("above/outside"),
        "a link leads out of",
    );
    std::fs::create_dir(mount.join("folder")).unwrap();
    check_refused(&folders, &mount.join("folder"), "not a regular file");
    check_refused(&folders, &mount.join("missing"), "No such file");
}

#[test]
fn a_folder_that_leads_into_the_kernels_folders_is_refused() {
    let dir = TempDir::new().unwrap();
    let link = dir.path().join("link");
    symlink("/proc/self", &link).unwrap();
    let folders = Folders::of_tokens(vec![link.to_str().unwrap().parse().unwrap()]);
    check_refused(&folders, &link.join("environ"), "the kernel's");
    for path in [
        "/",
        "",
        "tokens",
        "/proc",
        "/proc/self",
        "/sys/x",
        "/dev/shm",
        "/a/../proc",
        "/a/..",
    ] {
        assert_eq!(path.parse::<Folder>(), Err(InvalidFolder), "{path}");
    }
    assert!("/process".parse::<Folder>().is_ok());
    assert_eq!(Folders::default().list.len(), 3);
}

#[test]
fn what_is_not_a_token_is_neither_sent_nor_shown() {
    let (_dir, mount, folders) = mount();
    let file = mount.join("token");
    let [header, payload, signature] = TOKEN.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let long = format!("{TOKEN}{}", "A".repeat(MAX_TOKEN_LEN));
    for text in [
        "",
        "BEDROCK_ADMIN_TOKEN=hush\0BEDROCK_SEAL_KEY=k:hush",
        "hush",
        "hush.hush.hush",
        &format!("{header}.{payload}"),
        &format!("{header}.{payload}."),
        &format!("{header}.{payload}.{signature}.{signature}"),
        &format!("{header}=.{payload}.{signature}"),
        &format!("{header}.{payload}.{signature}\nhush"),
        &format!("{header}.aHVzaA.{signature}"),
        &long,
    ] {
        std::fs::write(&file, text).unwrap();
        let error = read(&folders, &file).unwrap_err();
        assert!(error.contains("contains no token"), "{error}");
        for hidden in ["hush", header, signature] {
            assert!(!error.contains(hidden), "{error}");
        }
    }
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    check_refused(&folders, &file, "contains no token");
}
