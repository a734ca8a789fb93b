//! Where a queue lies, and on which machine it was last used.

use posthorn::runtime::machine::Machine;
use posthorn::runtime::place::{Kind, Place, kind};
use tempfile::TempDir;

/// Numbers as linux/magic.h and the manual of statfs(2) give them.
#[test]
fn every_file_system_has_the_kind_that_its_number_says() {
    let expected = [
        (0xEF53, Kind::Local),
        (0x5846_5342, Kind::Local),
        (0x9123_683E, Kind::Local),
        (0x0102_1994, Kind::Memory),
        (0x8584_58F6, Kind::Memory),
        (0x794C_7630, Kind::Overlay),
        (0x6969, Kind::Network),
        (0xFF53_4D42, Kind::Network),
        (0xFE53_4D42, Kind::Network),
        (0x0102_1997, Kind::Network),
        (0x00C3_6400, Kind::Network),
        (0x0116_1970, Kind::Network),
        (0x9FA0, Kind::Unknown),
        (0, Kind::Unknown),
    ];
    for (magic, expected) in expected {
        assert_eq!(kind(magic, "any name"), expected, "{magic:#x}");
    }
}

#[test]
fn a_fuse_file_system_has_the_kind_that_its_name_says() {
    let expected = [
        ("fuse.sshfs", Kind::Network),
        ("fuse.glusterfs", Kind::Network),
        ("fuse.s3fs", Kind::Network),
        ("virtiofs", Kind::Network),
        ("fuseblk", Kind::Local),
        ("fuse.fuse-overlayfs", Kind::Overlay),
        ("fuse.somebodys-own", Kind::Unknown),
        ("fuse", Kind::Unknown),
        ("", Kind::Unknown),
    ];
    for (name, expected) in expected {
        assert_eq!(kind(0x6573_5546, name), expected, "{name}");
    }
}

#[test]
fn memory_is_told_from_a_disk_also_for_a_directory_that_does_not_exist_yet() {
    let memory = Place::of("/dev/shm/posthorn/none/yet".as_ref()).unwrap();
    assert_eq!((memory.kind, memory.name.as_str()), (Kind::Memory, "tmpfs"));
    assert!(memory.bytes >= memory.free_bytes);
    let other = Place::of("/proc".as_ref()).unwrap();
    assert_eq!((other.kind, other.name.as_str()), (Kind::Unknown, "proc"));
}

fn machine(boot: &str, id: &str, name: &str, disk: &str) -> Machine {
    Machine { boot: boot.into(), id: id.into(), name: name.into(), disk: disk.into() }
}

#[test]
fn a_machine_is_the_same_by_its_kernel_then_by_its_id_then_by_its_name_or_disk() {
    let before = machine("boot 1", "id 1", "web", "disk 1");
    let in_container = machine("boot 1", "", "3f2a", "disk 1");
    let same = [
        ("restarted", &before, machine("boot 2", "id 1", "web", "disk 1")),
        ("restarted with another name and disk", &before, machine("boot 2", "id 1", "www", "disk 2")),
        ("a container beside it", &before, machine("boot 1", "id 2", "5e77", "disk 2")),
        ("a new container after a restart", &in_container, machine("boot 2", "", "77b0", "disk 1")),
        ("the same container after a restart", &in_container, machine("boot 2", "", "3f2a", "disk 2")),
        ("nothing can be told", &machine("boot 1", "", "", ""), machine("boot 2", "", "", "")),
    ];
    for (what, before, now) in same {
        assert!(now.is(before) && before.is(&now), "{what}");
    }
    let other = [
        ("moved", &before, machine("boot 2", "id 2", "www", "disk 2")),
        ("moved together with name and disk", &before, machine("boot 2", "id 2", "web", "disk 1")),
        ("a container's queue copied to another machine", &in_container, machine("boot 2", "", "77b0", "disk 2")),
        ("a container's queue on a machine with an id", &in_container, machine("boot 2", "id 1", "web", "disk 2")),
    ];
    for (what, before, now) in other {
        assert!(!now.is(before) && !before.is(&now), "{what}");
    }
}

#[test]
fn the_last_machine_is_kept_in_a_private_file_without_its_id() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    assert_eq!(Machine::last(directory.path()), None);
    let here = Machine::here(directory.path());
    assert!(here.boot.len() == 32 && here.is(&here));
    here.keep(directory.path()).unwrap();
    machine("b", "i", "a shorter one", "").keep(directory.path()).unwrap();
    assert_eq!(Machine::last(directory.path()), Some(machine("b", "i", "a shorter one", "")));
    here.keep(directory.path()).unwrap();
    assert_eq!(Machine::last(directory.path()), Some(here));
    let file = directory.path().join("host");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    for path in ["/proc/sys/kernel/random/boot_id", "/etc/machine-id"] {
        let id = std::fs::read_to_string(path).unwrap_or_default();
        assert!(id.trim().is_empty() || !text.contains(id.trim()), "{path} is in {text}");
    }
}
