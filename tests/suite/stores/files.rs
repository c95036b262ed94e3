//! What a directory has of its own: files that are not whole, a disk that fails, processes that die.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::store::{Group, Invalidation, Listener, Notice, Store};
use cachex::{Cache, EntryOptions, Key};
use cachex_tests::folder::Folder;

use super::{Deaf, directory, files};
use crate::redis::processes::{Process, Source};
use crate::redis::until;

const LONG: Option<Duration> = Some(Duration::from_secs(600));

fn below(folder: &Folder, name: &str) -> PathBuf {
    folder.path().join("cx").join("tests").join(name)
}

fn values(folder: &Folder) -> Vec<PathBuf> {
    let values = below(folder, "values");
    folder.files().into_iter().filter(|file| file.starts_with(&values)).collect()
}

async fn node(folder: &Folder) -> Cache {
    let cache = Cache::builder().namespace("tests").file(directory(folder)).build().unwrap();
    cache.connected(Duration::from_secs(10)).await.unwrap();
    cache
}

#[tokio::test]
async fn what_is_cut_off_altered_or_of_others_is_a_miss_and_goes() {
    type Way<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

    let folder = Folder::new();
    let store = files(&folder);
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let altered = |bytes: &[u8]| bytes.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 30)).collect();
    let foreign = |_: &[u8]| b"something else".to_vec();
    let empty = |_: &[u8]| Vec::new();
    let ways: [Way<'_>; 4] = [&cut, &altered, &foreign, &empty];
    for way in ways {
        store.write("k", vec![7; 100], LONG, Notice::default()).await.unwrap();
        let [file] = &values(&folder)[..] else { panic!("there is one value") };
        std::fs::write(file, way(&std::fs::read(file).unwrap())).unwrap();
        assert_eq!(store.read("k", &[]).await.unwrap().value, None);
        assert_eq!(values(&folder), [] as [PathBuf; 0]);
    }
    store.write("k", b"whole".to_vec(), LONG, Notice::default()).await.unwrap();
    // That of another key in its place.
    store.write("other", b"other".to_vec(), LONG, Notice::default()).await.unwrap();
    let all = values(&folder);
    let holds =
        |file: &&PathBuf, what: &[u8]| std::fs::read(file).unwrap().windows(what.len()).any(|part| part == what);
    let (one, other) = (
        all.iter().find(|file| holds(file, b"whole")).unwrap(),
        all.iter().find(|file| holds(file, b"other")).unwrap(),
    );
    std::fs::copy(other, one).unwrap();
    assert_eq!(store.read("k", &[]).await.unwrap().value, None);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_made_has_the_modes_that_are_set() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = Folder::new();
    let mut settings = directory(&folder);
    for (of_folders, of_files) in [(0o700, 0o600), (0o750, 0o640)] {
        settings.prefix = format!("cx{of_files}");
        settings.directory_mode = of_folders;
        settings.file_mode = of_files;
        let store = settings.open("tests").unwrap();
        store.write("k", vec![7], LONG, Notice::default()).await.unwrap();
        store.begin("k", &[Group::all()], None).await.unwrap();
        let root = folder.path().join(&settings.prefix);
        assert_eq!(mode(&root), of_folders);
        let files: Vec<_> = folder.files().into_iter().filter(|file| file.starts_with(&root)).collect();
        assert!(files.len() >= 4, "{files:?}");
        for file in files {
            assert_eq!((mode(&file), mode(file.parent().unwrap())), (of_files, of_folders), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_lost_begins_ahead() {
    let folder = Folder::new();
    let store = files(&folder);
    let group = [Group::tag("a")];
    let mut last = store.begin("k", &group, None).await.unwrap();
    for way in ["removed", "emptied", "removed"] {
        match way {
            "removed" => std::fs::remove_file(below(&folder, "clock")).unwrap(),
            _ => std::fs::write(below(&folder, "clock"), b"").unwrap(),
        }
        // A load that has found out its groups can't be told whether they were invalidated.
        assert_eq!(store.mint("k", &group, last, None).await.unwrap(), None, "{way}");
        let next = store.begin("k", &group, None).await.unwrap();
        assert!(next > last, "{way}");
        last = next;
    }
}

#[tokio::test]
async fn what_has_expired_is_removed() {
    let folder = Folder::new();
    let mut settings = directory(&folder);
    settings.sweep_interval = Duration::from_millis(20);
    let store = settings.open("tests").unwrap();
    store.start(Arc::new(Deaf));
    let short = Some(Duration::from_millis(50));
    store.write("short", vec![1], short, Notice::default()).await.unwrap();
    store.write("long", vec![2], LONG, Notice::default()).await.unwrap();
    // As a process leaves it that was killed while it wrote.
    std::fs::write(below(&folder, "unfinished"), b"half of a val").unwrap();
    until("one of two is left", async || values(&folder).len() == 1).await;
    until("nothing is unfinished", async || !below(&folder, "unfinished").exists()).await;
    assert_eq!(store.read("long", &[]).await.unwrap().value, Some(vec![2]));
}

/// As long as nothing is known to be wrong: of two looks each may take as long as it may, with the pause between them.
#[tokio::test]
async fn a_directory_says_how_late_a_notice_may_be() {
    let folder = Folder::new();
    let mut settings = directory(&folder);
    settings.poll_interval = Duration::from_millis(50);
    settings.timeout = Duration::from_millis(250);
    assert_eq!(settings.open("tests").unwrap().staleness(), Duration::from_millis(550));
}

/// What was told.
#[derive(Default)]
struct Told(Mutex<Vec<Vec<u8>>>);

impl Told {
    /// Returns how often a notice was told that begins so.
    fn count(&self, head: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|notice| notice.starts_with(head.as_bytes())).count()
    }
}

impl Listener for Told {
    fn up(&self) {}
    fn down(&self) {}
    fn replaced(&self) {}
    fn troubled(&self, _why: &str) {}
    fn listening(&self) {}
    fn missed(&self) {}
    fn noticed(&self, notice: &[u8]) {
        self.0.lock().unwrap().push(notice.to_vec());
    }
}

/// All at once they would have one timeout, and what a slow disk has not done by then would not count.
#[tokio::test]
async fn a_large_invalidation_is_done_and_told_part_by_part() {
    let folder = Folder::new();
    let (store, told) = (files(&folder), Arc::new(Told::default()));
    store.start(told.clone());
    until("it is up", async || store.is_up()).await;
    let keys: Vec<Box<str>> = (0..300).map(|number| format!("find({number})").into()).collect();
    let groups: Vec<_> = (0..70).map(|number| Group::tag(&number.to_string())).collect();
    let notice = |head: &str| Notice { head: head.as_bytes().to_vec(), tail: Vec::new() };
    let notices = std::iter::once("groups").chain(keys.iter().map(|key| &**key)).map(notice).collect();
    let what = Invalidation { groups: groups.clone(), keys: keys.clone(), notices };
    let stamp = store.begin("k", &groups, LONG).await.unwrap();
    store.write(&keys[299], vec![7], LONG, Notice::default()).await.unwrap();
    // The last one can't be removed.
    let [last] = &values(&folder)[..] else { panic!("there is one value") };
    std::fs::remove_file(last).unwrap();
    std::fs::create_dir_all(last.join("in the way")).unwrap();
    store.write(&keys[0], vec![7], LONG, Notice::default()).await.unwrap();
    assert!(store.invalidate(&what).await.is_err());
    assert!(store.clocks("k", &groups).await.unwrap().iter().all(|clock| clock.is_some_and(|at| at > stamp)));
    assert_eq!(store.read(&keys[0], &[]).await.unwrap().value, None);
    until("the first part is told", async || told.count("find(255)") == 1).await;
    assert_eq!((told.count("groups"), told.count("find(299)")), (1, 0));
    std::fs::remove_dir_all(last).unwrap();
    store.invalidate(&what).await.unwrap();
    until("all is told", async || told.count("find(299)") == 1).await;
}

#[tokio::test]
async fn a_disk_that_takes_nothing_breaks_no_call_and_is_used_again_when_it_does() {
    let folder = Folder::new();
    let (one, other) = (node(&folder).await, node(&folder).await);
    let tagged = EntryOptions::new().tag("t");
    let key = Key::new("a");
    one.set(&key, 1, &tagged).await.unwrap();
    assert_eq!(other.get::<i32>(&key).await.unwrap(), Some(1));
    // Where each file is written before it gets its name nothing can be written.
    std::fs::create_dir_all(below(&folder, "unfinished/in the way")).unwrap();
    one.invalidate_tags(["t"]).await;
    let stats = one.remote_stats().unwrap();
    assert!(stats.undelivered > 0 && stats.last_error.is_some_and(|text| text.contains("file.directory")));
    assert_eq!(one.get::<i32>(&key).await.unwrap(), None);
    one.set(&Key::new("b"), 2, &tagged).await.unwrap();
    // What could not be written goes here as well once its removal has arrived, which takes no room.
    assert!(matches!(one.get::<i32>(&Key::new("b")).await, Ok(Some(2) | None)));
    std::fs::remove_dir_all(below(&folder, "unfinished")).unwrap();
    until("it is delivered", async || one.remote_stats().unwrap().undelivered == 0).await;
    until("the other one knows", async || other.get::<i32>(&key).await.unwrap().is_none()).await;
    one.set(&key, 3, &tagged).await.unwrap();
    until("they share again", async || other.get::<i32>(&key).await.unwrap() == Some(3)).await;
}

#[tokio::test]
async fn a_directory_that_is_removed_is_made_again() {
    let folder = Folder::new();
    let (one, other) = (node(&folder).await, node(&folder).await);
    one.set(&Key::new("a"), 1, &EntryOptions::new()).await.unwrap();
    assert_eq!(other.get::<i32>(&Key::new("a")).await.unwrap(), Some(1));
    let flushes = other.remote_stats().unwrap().flushes;
    // Others put something in while it is removed.
    until("it is removed", async || std::fs::remove_dir_all(folder.path().join("cx")).is_ok()).await;
    let is_noticed = async || other.remote_stats().unwrap().flushes > flushes;
    until("what is in memory goes, for notices may be lost", is_noticed).await;
    for cache in [&one, &other] {
        cache.connected(Duration::from_secs(10)).await.unwrap();
    }
    one.set(&Key::new("b"), 2, &EntryOptions::new()).await.unwrap();
    until("they share again", async || other.get::<i32>(&Key::new("b")).await.unwrap() == Some(2)).await;
}

/// Who reads slowly is told what was said, or that some was lost; and hears what is said then.
#[tokio::test]
async fn a_journal_that_is_begun_anew_loses_nothing_without_saying_so() {
    #[derive(Debug, Default)]
    struct Heard(std::sync::Mutex<(Vec<Vec<u8>>, usize)>);
    impl Listener for Heard {
        fn up(&self) {}
        fn down(&self) {}
        fn replaced(&self) {}
        fn troubled(&self, _why: &str) {}
        fn listening(&self) {}
        fn missed(&self) {
            self.0.lock().unwrap().1 += 1;
        }
        fn noticed(&self, notice: &[u8]) {
            self.0.lock().unwrap().0.push(notice[..4].to_vec());
        }
    }
    let folder = Folder::new();
    for poll_interval in [1, 400] {
        let mut settings = directory(&folder);
        settings.poll_interval = Duration::from_millis(poll_interval);
        let (store, heard) = (settings.open("tests").unwrap(), Arc::new(Heard::default()));
        store.start(heard.clone());
        until("it is up", async || store.is_up()).await;
        // Three times as much as one journal holds.
        let notice = |number: u32| Notice { head: number.to_be_bytes().to_vec(), tail: vec![7; 10_000] };
        for number in 0..320 {
            store.publish(notice(number)).await.unwrap();
        }
        let has_come = async || heard.0.lock().unwrap().0.last() == Some(&u32::MAX.to_be_bytes().to_vec());
        let is_heard = async || {
            store.publish(notice(u32::MAX)).await.unwrap();
            has_come().await
        };
        until("what is said last is heard", is_heard).await;
        let (notices, missed) = std::mem::take(&mut *heard.0.lock().unwrap());
        let all: Vec<_> = (0..320_u32).map(|number| number.to_be_bytes().to_vec()).collect();
        assert!(missed > 0 || notices.starts_with(&all), "{} of 320 are heard, and none is missed", notices.len());
        let size = std::fs::metadata(below(&folder, "journal")).unwrap().len();
        assert!(size <= (1 << 20) + 20_000, "{size}");
    }
}

/// Processes that are killed at any moment leave nothing that others trip over.
#[test]
fn whoever_is_killed_leaves_nothing_that_others_trip_over() {
    let (folder, source) = (Folder::new(), Source::new("killed"));
    let path = folder.path().to_str().unwrap().to_owned();
    let settings =
        [("CACHEX_FILE__DIRECTORY", &*path), ("CACHEX_FILE__TIMEOUT", "10s"), ("CACHEX_REMOTE__LEASE", "500ms")];
    let mut witness = Process::start(&settings, 0, source.path());
    for round in 0..12_u32 {
        let mut victim = Process::start(&settings, 0, source.path());
        // All at once, so that it is in the middle of something when it dies.
        for number in 0..200 {
            victim.say(&format!("find {} 1", number % 7));
            victim.say(&format!("write {round}-{number}"));
        }
        for _ in 0..=round * 7 {
            victim.answer();
        }
        drop(victim);
        let last = format!("after-{round}");
        assert_eq!(witness.ask(&format!("write {last}")), "written");
        for id in 0..7 {
            assert_eq!(witness.ask(&format!("find {id} 1")), format!("found {id}:{last}"));
        }
    }
    let mut fresh = Process::start(&settings, 0, source.path());
    for id in 0..7 {
        assert_eq!(fresh.ask(&format!("find {id} 1")), format!("found {id}:after-11"));
    }
    assert_eq!(fresh.loads(), 0, "it finds what the others have stored");
}
