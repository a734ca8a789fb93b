//! What a queue may grow to before it accepts nothing more, by size and by age.

use std::time::{Duration, Instant};

use super::{Store, StoreOptions, failed};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::event::NewEvent;

/// How often the limits are looked at, and after how much that this process has accepted, as a share of the limit: between two
/// looks it can exceed one a little.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AFTER_SHARE: u64 = 16;

/// The same as a share of what is free on the disk. A small event takes eight times its size in the log.
const LOOK_AFTER_SHARE_OF_ROOM: u64 = 64;

/// Beside its data an event has about so many bytes in the queue, with its delivery and their indexes.
const BYTES_BESIDE_DATA: u64 = 512;

/// Past this share of the limit, in percent, what was delivered is forgotten before its time.
const NEARLY_FULL_PERCENT: u64 = 75;

/// The limit of age unless one is set: nobody can have sent for that long. An endpoint whose deliveries may be older lifts it.
const MAX_PENDING_AGE: Millis = 30 * 24 * 60 * 60 * 1000;

/// Events that are not expanded are few where somebody sends; where nobody does, so many are asked whether anybody wants them.
const EVENTS_ASKED: u32 = 100;

/// When a process has looked at the limits.
pub(super) struct Looks {
    opened: Instant,
    last: Option<Instant>,
    accepted: u64,
    /// After how many more bytes it looks again.
    look_after: u64,
}

impl Looks {
    /// From now on.
    pub fn begin() -> Self {
        Looks { opened: Instant::now(), last: None, accepted: 0, look_after: 0 }
    }
}

impl Store {
    /// # Errors
    /// [`Error::Full`] naming the limit that is reached, and what to do.
    pub(super) fn check_limits(&mut self, events: &[NewEvent], now: Millis) -> Result<()> {
        self.looks.accepted += events.iter().map(|event| event.data.len() as u64 + BYTES_BESIDE_DATA).sum::<u64>();
        let few = self.looks.accepted <= self.looks.look_after;
        if few && self.looks.last.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        self.check_size()?;
        // A process that sends by itself is given the time to: what it finds too old is over then.
        if !self.options.sends || self.looks.opened.elapsed() >= LOOK_EVERY {
            self.check_age(now)?;
        }
        // Only a site where nobody sends lets the log grow that far.
        self.checkpoint_without_dispatcher()?;
        let free = self.look_at_room();
        let look_after = (self.options.max_bytes / LOOK_AFTER_SHARE).min(free / LOOK_AFTER_SHARE_OF_ROOM);
        self.looks = Looks { last: Some(Instant::now()), accepted: 0, look_after, ..self.looks };
        Ok(())
    }

    /// Keeps to the limits of `options` from now on.
    pub(crate) fn take_limits(&mut self, options: StoreOptions) -> Result<()> {
        let StoreOptions { max_bytes, max_pending_age, keep_delivered, keep_dead, .. } = options;
        self.options = StoreOptions { max_bytes, max_pending_age, keep_delivered, keep_dead, ..self.options };
        self.looks.last = None;
        self.set_retention()
    }

    pub(crate) fn set_max_bytes(&mut self, max_bytes: u64) {
        self.options.max_bytes = max_bytes;
    }

    fn check_size(&self) -> Result<()> {
        let limit = self.options.max_bytes;
        if self.bytes() <= limit {
            return Ok(());
        }
        let used = self.used_bytes()?;
        if used > limit {
            return Err(Error::Full {
                message: format!(
                    "the queue holds {used} bytes, its limit is {limit}: nothing more is accepted; see why receivers do not answer, cancel or delete what waits for them, or raise max_bytes"
                ),
            });
        }
        Ok(())
    }

    /// Whether what was delivered has to make room, so that nothing is refused because of it.
    pub(crate) fn is_nearly_full(&self) -> Result<bool> {
        let limit = self.options.max_bytes / 100 * NEARLY_FULL_PERCENT;
        Ok(self.bytes() > limit && self.used_bytes()? > limit)
    }

    fn check_age(&self, now: Millis) -> Result<()> {
        let Some(since) = self.waiting_since()? else { return Ok(()) };
        let age = now - since;
        let limit = match self.options.max_pending_age {
            Some(limit) => limit,
            None if age <= MAX_PENDING_AGE => return Ok(()),
            None => self.longest_max_age()?.max(MAX_PENDING_AGE),
        };
        if age <= limit {
            return Ok(());
        }
        Err(Error::Full {
            message: format!(
                "a delivery has been waiting for {}, the limit is {}: nobody sends what is in the queue, and nothing more is accepted; start a worker (wp posthorn work) or the background thread, or raise max_pending_age",
                in_words(age),
                in_words(limit)
            ),
        })
    }

    /// Since when the longest waiting have been waiting. Of those that wait for a further attempt only the one that is due
    /// first is looked at, an endpoint: where somebody sends none of them is late, and where nobody does it soon is.
    fn waiting_since(&self) -> Result<Option<Millis>> {
        self.connection
            .prepare_cached(
                "SELECT min(since) FROM
                   (SELECT (SELECT created_at FROM delivery INDEXED BY delivery_due
                            WHERE endpoint = key AND state = 0 AND due_at = 0 ORDER BY event_seq LIMIT 1) AS since
                    FROM endpoint
                    UNION ALL
                    SELECT (SELECT ifnull(replayed_at, created_at) FROM delivery INDEXED BY delivery_due
                            WHERE endpoint = key AND state = 0 AND due_at > 0 ORDER BY due_at, event_seq LIMIT 1)
                    FROM endpoint
                    UNION ALL
                    SELECT (SELECT accepted_at FROM
                             (SELECT accepted_at, targets FROM event
                              WHERE seq > (SELECT expanded FROM setup) ORDER BY seq LIMIT ?1)
                            WHERE targets <> '' LIMIT 1))",
            )
            .and_then(|mut statement| statement.query_row([EVENTS_ASKED], |row| row.get(0)))
            .map_err(failed)
    }

    fn longest_max_age(&self) -> Result<Millis> {
        let ages = self.lanes()?.into_iter().map(|lane| lane.endpoint.max_age.as_millis() as Millis);
        Ok(ages.max().unwrap_or(0))
    }

    /// What the queue holds, in bytes: without the room that forgotten deliveries have left, which is used before the file
    /// grows, and without its log, whose room is kept while what was in it has long been moved.
    pub(super) fn used_bytes(&self) -> Result<u64> {
        self.connection
            .query_row(
                "SELECT (page_count - freelist_count) * page_size
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
                [],
                |row| row.get::<_, i64>(0),
            )
            .map(|used| used as u64)
            .map_err(failed)
    }
}

fn in_words(age: Millis) -> String {
    match age / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds @ 7200..172_800 => format!("{} hours", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
