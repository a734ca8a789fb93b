//! Sending settled deliveries again, and ending those that wait: at the owner's word.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;
use rusqlite::types::ToSql;

use super::history::{FEW, condition};
use super::tally::Changes;
use super::{Filter, State, Store, failed};
use crate::clock::Millis;
use crate::error::{Error, Result};

/// Deliveries looked up at once.
const READ: usize = 5_000;

/// Pages are kept from writing for so long by a step …
const LONGEST_STEP: Duration = Duration::from_millis(1);

/// … and then have the queue for so long: who waits for it looks every 20 µs.
pub(super) const PAUSE: Duration = Duration::from_micros(100);

/// What a cancelled delivery says.
const CANCELLED: &str = "cancelled by the owner";

/// What is done with deliveries.
#[derive(Clone, Copy)]
enum Act {
    Replay,
    Cancel,
}

/// A delivery that was selected, as it was then.
struct Selected {
    id: [u8; 16],
    site: String,
    state: State,
}

impl Filter {
    /// Whether it names anything that tells deliveries apart.
    fn selects(&self) -> bool {
        let Filter { id, site, event_id, event, record, endpoint, state, since, until, limit: _, before } = self;
        id.is_some()
            || event_id.is_some()
            || before.is_some()
            || state.is_some()
            || [site, event, record, endpoint].into_iter().any(Option::is_some)
            || since.or(*until).is_some()
    }
}

impl Store {
    /// Makes the dead deliveries that `filter` selects pending again, due at `now`; delivered and cancelled ones too if the
    /// filter names their state or an `id`. Their age and schedule begin anew, the count of their attempts goes on. They
    /// stand outside the order of their records. What belongs to an endpoint that was removed stays as it is.
    ///
    /// With a limit, the newest so many that the filter selects, as [`Store::deliveries`] lists them. Returns how many
    /// were changed. In steps, so that no page waits for it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a filter that selects everything, and for the state `pending`.
    pub fn replay(&mut self, filter: &Filter, now: Millis) -> Result<usize> {
        let mut filter = filter.clone();
        if !filter.selects() {
            return Err(Error::invalid(
                "filter",
                "it is empty, which would send again everything that ever failed; name at least one of id, event_id, endpoint, site, event, record, state, since, until",
            ));
        }
        match (filter.state, filter.id) {
            (Some(State::Pending), _) => {
                return Err(Error::invalid(
                    "filter.state",
                    "what is pending is going to be sent anyway; name dead, delivered or cancelled",
                ));
            }
            (None, None) => filter.state = Some(State::Dead),
            _ => {}
        }
        self.change(Act::Replay, &filter, now)
    }

    /// Cancels the pending deliveries that `filter` selects. One whose request is under way may arrive all the same: it
    /// stays cancelled, its request is logged, and `last_error` says so.
    ///
    /// With a limit, the newest so many. Returns how many were cancelled. In steps, so that no page waits for it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a filter that selects everything, and for another state than `pending`.
    pub fn cancel(&mut self, filter: &Filter, now: Millis) -> Result<usize> {
        let mut filter = filter.clone();
        if !filter.selects() {
            return Err(Error::invalid(
                "filter",
                "it is empty, which would end all that waits; name at least one of id, event_id, endpoint, site, event, record, state, since, until",
            ));
        }
        if filter.state.is_some_and(|state| state != State::Pending) {
            return Err(Error::invalid("filter.state", "only what is pending can be cancelled; leave it out"));
        }
        filter.state = Some(State::Pending);
        // What is not expanded is in no list yet.
        while self.expand()?.more {
            thread::sleep(PAUSE);
        }
        self.change(Act::Cancel, &filter, now)
    }

    fn change(&mut self, act: Act, filter: &Filter, now: Millis) -> Result<usize> {
        let mut changed = 0;
        let mut after = None;
        loop {
            let mut selected = self.select(act, filter, after)?;
            after = selected.back().map(|last| last.id);
            let may_be_more = filter.limit.is_none() && selected.len() == READ;
            while !selected.is_empty() {
                changed += self.change_some(act, &mut selected, now)?;
                thread::sleep(PAUSE);
            }
            if !may_be_more {
                return Ok(changed);
            }
        }
    }

    /// The next deliveries, the oldest first.
    fn select(&self, act: Act, filter: &Filter, after: Option<[u8; 16]>) -> Result<VecDeque<Selected>> {
        let (mut condition, mut parameters) = condition(filter);
        if let Some(after) = after {
            parameters.push(Box::new(after));
            condition.push_str(&format!(" AND d.id > ?{}", parameters.len()));
        }
        if let Act::Replay = act {
            condition.push_str(" AND NOT n.removed");
        }
        let index = match filter.state {
            Some(State::Pending) if self.pending()? <= FEW => "INDEXED BY delivery_due",
            _ => "",
        };
        let (order, limit) = match filter.limit {
            Some(limit) => ("DESC", limit),
            None => ("ASC", READ),
        };
        let sql = format!(
            "SELECT d.id, d.site, d.state FROM delivery d {index} JOIN event e ON e.seq = d.event_seq
               JOIN endpoint n ON n.key = d.endpoint
             WHERE {condition} ORDER BY d.id {order} LIMIT {limit}"
        );
        let read = || -> rusqlite::Result<VecDeque<Selected>> {
            let parameters: Vec<&dyn ToSql> = parameters.iter().map(|value| value.as_ref()).collect();
            let mut found = self
                .connection
                .prepare_cached(&sql)?
                .query_map(parameters.as_slice(), |row| {
                    Ok(Selected { id: row.get(0)?, site: row.get(1)?, state: State::from_stored(row.get(2)?) })
                })?
                .collect::<rusqlite::Result<VecDeque<_>>>()?;
            if filter.limit.is_some() {
                found.make_contiguous().reverse();
            }
            Ok(found)
        };
        read().map_err(failed)
    }

    /// One step. What has changed its state since it was selected is left alone.
    fn change_some(&mut self, act: Act, selected: &mut VecDeque<Selected>, now: Millis) -> Result<usize> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let mut write = || -> rusqlite::Result<usize> {
            let (mut changes, mut changed) = (Changes::default(), 0);
            let began = Instant::now();
            while let Some(Selected { id, site, state }) = selected.pop_front() {
                let (becomes, done) = match act {
                    Act::Replay if state == State::Pending => continue,
                    Act::Replay => (
                        State::Pending,
                        transaction
                            .prepare_cached(
                                "UPDATE delivery SET state = 0, due_at = max(?3, 1), delay = 0, replayed_at = ?3,
                                   replayed_from = attempts WHERE id = ?1 AND state = ?2",
                            )?
                            .execute((id, state as i64, now))?,
                    ),
                    Act::Cancel => (
                        State::Cancelled,
                        transaction
                            .prepare_cached(
                                "UPDATE delivery SET state = 3, settled_at = ?3, last_error = ?4
                                 WHERE id = ?1 AND state = ?2",
                            )?
                            .execute((id, state as i64, now, CANCELLED))?,
                    ),
                };
                changes.add(&site, state, -(done as i64));
                changes.add(&site, becomes, done as i64);
                changed += done;
                if began.elapsed() >= LONGEST_STEP {
                    break;
                }
            }
            changes.write(&transaction)?;
            if changed > 0 {
                // Whoever sends reads its lanes anew before it starts anything more.
                transaction.execute("UPDATE setup SET version = version + 1", [])?;
            }
            Ok(changed)
        };
        let changed = write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(changed)
    }
}
