//! Where a queue lies: on what kind of file system, and how much room is left there.
//!
//! SQLite's log in shared memory and `flock` hold only among the processes of one kernel, so a network file system is no
//! place for a queue; a container's own layer and memory are none that lasts.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, fstatfs, fstatvfs};

/// What a kind of file system means for a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A disk of this machine.
    Local,
    /// Gone with the next restart: tmpfs, ramfs.
    Memory,
    /// Gone with the next deployment: the writable layer of a container.
    Overlay,
    /// Shared over a network, or with the machine that runs this one: not supported.
    Network,
    /// None that is known here.
    Unknown,
}

impl Kind {
    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Local => "local",
            Kind::Memory => "memory",
            Kind::Overlay => "overlay",
            Kind::Network => "network",
            Kind::Unknown => "unknown",
        }
    }
}

/// The numbers by which statfs(2) tells file systems apart (linux/magic.h, and those of the file systems that are not in
/// the kernel), and the names that the kernel gives them.
const KINDS: &[(u32, &str, Kind)] = &[
    (0x0000_EF53, "ext4", Kind::Local),
    (0x5846_5342, "xfs", Kind::Local),
    (0x9123_683E, "btrfs", Kind::Local),
    (0xF2F5_2010, "f2fs", Kind::Local),
    (0x2FC1_2FC1, "zfs", Kind::Local),
    (0xCA45_1A4E, "bcachefs", Kind::Local),
    (0x3153_464A, "jfs", Kind::Local),
    (0x5265_4973, "reiserfs", Kind::Local),
    (0x0000_3434, "nilfs2", Kind::Local),
    (0x0102_1994, "tmpfs", Kind::Memory),
    (0x8584_58F6, "ramfs", Kind::Memory),
    (0x794C_7630, "overlay", Kind::Overlay),
    (0x6175_6673, "aufs", Kind::Overlay),
    (0x0000_6969, "nfs", Kind::Network),
    (0x0000_517B, "smb", Kind::Network),
    (0xFF53_4D42, "cifs", Kind::Network),
    (0xFE53_4D42, "smb3", Kind::Network),
    (0x0102_1997, "9p", Kind::Network),
    (0x00C3_6400, "ceph", Kind::Network),
    (0x5346_414F, "afs", Kind::Network),
    (0x6B41_4653, "afs", Kind::Network),
    (0x7375_7245, "coda", Kind::Network),
    (0x0BD0_0BD0, "lustre", Kind::Network),
    (0x4750_4653, "gpfs", Kind::Network),
    (0x1983_0326, "beegfs", Kind::Network),
    (0x2003_0528, "orangefs", Kind::Network),
    // One disk, several machines.
    (0x0116_1970, "gfs2", Kind::Network),
    (0x7461_636F, "ocfs2", Kind::Network),
    // Folders that a virtual machine shares with the machine it runs on.
    (0x786F_4256, "vboxsf", Kind::Network),
    (0xBACB_ACBC, "vmhgfs", Kind::Network),
    (0x7C7C_6673, "prl_fs", Kind::Network),
];

/// Every FUSE file system has this number; what it is only its name says.
const FUSE: u32 = 0x6573_5546;

/// Names of FUSE file systems, as they begin.
const FUSE_KINDS: &[(&str, Kind)] = &[
    // NTFS or exFAT on a disk of this machine.
    ("fuseblk", Kind::Local),
    ("fuse.fuse-overlayfs", Kind::Overlay),
    ("virtiofs", Kind::Network),
    ("fuse.sshfs", Kind::Network),
    ("fuse.glusterfs", Kind::Network),
    ("fuse.ceph", Kind::Network),
    ("fuse.s3", Kind::Network),
    ("fuse.mount-s3", Kind::Network),
    ("fuse.mountpoint-s3", Kind::Network),
    ("fuse.goofys", Kind::Network),
    ("fuse.geesefs", Kind::Network),
    ("fuse.gcsfuse", Kind::Network),
    ("fuse.blobfuse", Kind::Network),
    ("fuse.rclone", Kind::Network),
    ("fuse.juicefs", Kind::Network),
    ("fuse.JuiceFS", Kind::Network),
    ("fuse.seaweedfs", Kind::Network),
    ("fuse.davfs", Kind::Network),
    ("fuse.curlftpfs", Kind::Network),
    ("fuse.nfs", Kind::Network),
    ("fuse.smb", Kind::Network),
    ("fuse.lizardfs", Kind::Network),
    ("fuse.mfs", Kind::Network),
    ("fuse.moosefs", Kind::Network),
    ("fuse.beegfs", Kind::Network),
    ("fuse.afp", Kind::Network),
    ("fuse.hdfs", Kind::Network),
    ("fuse.grpcfuse", Kind::Network),
    ("fuse.osxfs", Kind::Network),
    ("fuse.vmhgfs", Kind::Network),
    ("fuse.prl", Kind::Network),
];

/// The kind of a file system by statfs(2)'s number and the name that `/proc/self/mountinfo` gives it (empty if not known).
pub fn kind(magic: u32, name: &str) -> Kind {
    if magic == FUSE {
        return FUSE_KINDS.iter().find(|(start, _)| name.starts_with(start)).map_or(Kind::Unknown, |(_, kind)| *kind);
    }
    KINDS.iter().find(|(known, ..)| *known == magic).map_or(Kind::Unknown, |(.., kind)| *kind)
}

/// What is known of a directory's file system.
#[derive(Clone, Debug)]
pub struct Place {
    /// What it means for a queue.
    pub kind: Kind,
    /// The kernel's name of it: `ext4`, `nfs4`, `fuse.sshfs`. Empty if it has none that is known.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What is left of it for this process.
    pub free_bytes: u64,
    /// What tells it from others of its kind, where the file system says so; 0 if not.
    pub(super) id: u64,
}

impl Place {
    /// Looks at the file system of `directory`, or of the nearest directory above it that exists. `None` if this process
    /// may not even look.
    pub fn of(directory: &Path) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = directory.ancestors().find_map(|path| rustix::fs::open(path, flags, Mode::empty()).ok())?;
        let magic = fstatfs(&opened).ok()?.f_type as u32;
        let room = fstatvfs(&opened).ok()?;
        let by_magic = || KINDS.iter().find(|(known, ..)| *known == magic).map(|(_, name, _)| (*name).to_owned());
        let name = name_of(&opened).or_else(by_magic).unwrap_or_default();
        Some(Place {
            kind: kind(magic, &name),
            name,
            bytes: room.f_blocks.saturating_mul(room.f_frsize),
            free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
            id: room.f_fsid,
        })
    }
}

/// The name of the mounted file system that a descriptor is on, as proc(5) tells it: the descriptor's mount, then that
/// mount's line. The longest path that fits would miss what is mounted over.
fn name_of(opened: &OwnedFd) -> Option<String> {
    let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", opened.as_raw_fd())).ok()?;
    let mount = about.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(mount))?;
    let (_, after) = line.split_once(" - ")?;
    after.split(' ').next().map(str::to_owned)
}
