//! The queue's copy of the endpoints, and what the engine knows of each.

use std::thread;

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use serde_json::Value;

use super::replay::PAUSE;
use super::{Store, failed};
use crate::clock::Millis;
use crate::endpoint::{Circuit, Endpoint, Standing};
use crate::error::{Error, Result};

/// Deliveries that are cancelled in one transaction: pages wait for it.
const CANCEL_STEP: u32 = 500;

/// The columns of a [`Standing`].
pub(super) const STANDING: &str = "suspended, paused_until, throttled, failures, failing_since, failing_days,
     last_failure_at, last_success_at, open_until";

/// An endpoint as the dispatcher sees it.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The queue's own key of the endpoint.
    pub key: i64,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Gone from the owner's settings: what waits is cancelled.
    pub removed: bool,
    /// Whether its site is paused.
    pub site_paused: bool,
    /// Rises when its standing begins anew.
    pub epoch: i64,
    /// What the engine knows of its receiver.
    pub standing: Standing,
}

/// An endpoint's standing after some attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaneChange {
    pub key: i64,
    /// Its epoch at the time: the change is about this receiver, and older than no word of the owner.
    pub epoch: i64,
    pub standing: Standing,
}

/// An endpoint's state as the API shows it.
#[derive(Clone, Debug)]
pub struct EndpointState {
    /// The owner's id of it.
    pub id: String,
    /// Its site.
    pub site: String,
    /// Its URL.
    pub url: String,
    /// The owner's switch.
    pub enabled: bool,
    /// The engine's reason to send nothing there.
    pub suspended: Option<String>,
    /// The receiver asked to wait until then.
    pub paused_until: Option<Millis>,
    /// The circuit breaker's position.
    pub circuit: Circuit,
    /// Nothing is sent until then, because it is open.
    pub circuit_open_until: Option<Millis>,
    /// Attempts in a row that failed.
    pub failures: u32,
    /// When the first of them ended.
    pub failing_since: Option<Millis>,
    /// When an attempt failed last.
    pub last_failure_at: Option<Millis>,
    /// When an attempt succeeded last; up to a minute older.
    pub last_success_at: Option<Millis>,
}

impl Store {
    /// Replaces the endpoints of `site`. With a `revision`, only if it is higher than the one stored, so that
    /// a process with stale settings reverts nothing. Returns whether it replaced them.
    ///
    /// An endpoint keeps its standing unless its URL changes. What waits for an endpoint that is gone is cancelled, by the
    /// dispatcher, or here if it comes back before that.
    pub fn configure(
        &mut self,
        site: &str,
        endpoints: &[Endpoint],
        revision: Option<i64>,
        now: Millis,
    ) -> Result<bool> {
        self.cancel_of_those_back(site, endpoints, now)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let replace = || -> rusqlite::Result<bool> {
            let stored: Option<i64> = transaction
                .query_row("SELECT revision FROM site WHERE site = ?1", [site], |row| row.get(0))
                .optional()?
                .flatten();
            if let (Some(stored), Some(revision)) = (stored, revision)
                && revision <= stored
            {
                return Ok(false);
            }
            transaction.execute(
                "INSERT INTO site (site, revision) VALUES (?1, ?2)
                 ON CONFLICT (site) DO UPDATE SET revision = ifnull(excluded.revision, revision)",
                (site, revision),
            )?;
            transaction.execute("UPDATE endpoint SET removed = 1 WHERE site = ?1", [site])?;
            let mut upsert = transaction.prepare_cached(
                "INSERT INTO endpoint (site, id, url, settings) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (site, id) DO UPDATE SET
                   removed = 0,
                   settings = excluded.settings",
            )?;
            let mut another_url =
                transaction.prepare_cached("SELECT key FROM endpoint WHERE site = ?1 AND id = ?2 AND url <> ?3")?;
            for endpoint in endpoints {
                let key: Option<i64> =
                    another_url.query_row((site, &endpoint.id, &endpoint.url), |row| row.get(0)).optional()?;
                if let Some(key) = key {
                    begin_anew(&transaction, key, &endpoint.url)?;
                }
                upsert.execute((site, &endpoint.id, &endpoint.url, endpoint.to_stored_json().to_string()))?;
            }
            transaction.execute("UPDATE setup SET version = version + 1", [])?;
            Ok(true)
        };
        let replaced = replace().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(replaced)
    }

    /// Cancels what waits for those of `endpoints` that were removed before.
    fn cancel_of_those_back(&mut self, site: &str, endpoints: &[Endpoint], now: Millis) -> Result<()> {
        let removed: Vec<(i64, String)> = self
            .connection
            .prepare_cached("SELECT key, id FROM endpoint WHERE site = ?1 AND removed")
            .and_then(|mut statement| statement.query_map([site], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(failed)?;
        let back: Vec<i64> = removed
            .into_iter()
            .filter(|(_, id)| endpoints.iter().any(|endpoint| endpoint.id == *id))
            .map(|(key, _)| key)
            .collect();
        if back.is_empty() {
            return Ok(());
        }
        // What was accepted before the removal may not be expanded yet.
        while self.expand()?.more {
            thread::sleep(PAUSE);
        }
        for key in back {
            while self.cancel_removed(key, now, CANCEL_STEP)? > 0 {
                thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    /// The revision of the site's endpoints; `None` if the queue has none, or they came without one.
    pub fn revision(&self, site: &str) -> Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT revision FROM site WHERE site = ?1")
            .and_then(|mut statement| statement.query_row([site], |row| row.get(0)).optional())
            .map(Option::flatten)
            .map_err(failed)
    }

    /// Pauses a site or resumes it: nothing is sent for a paused site, and nothing of it is lost.
    pub fn pause(&mut self, site: &str, paused: bool) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO site (site, paused) VALUES (?1, ?2) ON CONFLICT (site) DO UPDATE SET paused = excluded.paused",
                (site, paused),
            )
            .and_then(|_| transaction.execute("UPDATE setup SET version = version + 1", []))
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// Whether the site is paused.
    pub fn paused(&self, site: &str) -> Result<bool> {
        self.connection
            .query_row("SELECT paused FROM site WHERE site = ?1", [site], |row| row.get(0))
            .optional()
            .map(|paused| paused.unwrap_or(false))
            .map_err(failed)
    }

    /// Ends an endpoint's suspension, pause and open circuit breaker, at the owner's word; its retries that wait are due at
    /// `now`. `false` if there is no such endpoint.
    pub fn resume(&mut self, site: &str, id: &str, now: Millis) -> Result<bool> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let resume = || -> rusqlite::Result<Option<i64>> {
            let found: Option<(i64, String)> = transaction
                .query_row(
                    "SELECT key, url FROM endpoint WHERE site = ?1 AND id = ?2 AND NOT removed",
                    (site, id),
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let Some((key, url)) = found else { return Ok(None) };
            begin_anew(&transaction, key, &url)?;
            transaction.execute("UPDATE setup SET version = version + 1", [])?;
            Ok(Some(key))
        };
        let resumed = resume().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        if resumed.is_some() {
            self.hurry_those_of(resumed, now)?;
        }
        Ok(resumed.is_some())
    }

    /// The endpoints of `site`, with what the engine knows of them.
    pub fn endpoint_states(&self, site: &str, now: Millis) -> Result<Vec<EndpointState>> {
        Ok(self
            .lanes()?
            .into_iter()
            .filter(|lane| lane.endpoint.site == site && !lane.removed)
            .map(|lane| state(lane, now))
            .collect())
    }

    /// Whether the queue knows `site`: its endpoints were handed over, or taken over from a queue that was set aside.
    pub(crate) fn knows(&self, site: &str) -> Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM site WHERE site = ?1)")
            .and_then(|mut statement| statement.query_row([site], |row| row.get(0)))
            .map_err(failed)
    }

    /// All endpoints that may have something waiting.
    pub(crate) fn lanes(&self) -> Result<Vec<Lane>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT e.key, e.site, e.settings, e.removed, ifnull(s.paused, 0), e.epoch, {STANDING}
                     FROM endpoint e LEFT JOIN site s ON s.site = e.site ORDER BY e.key"
            ))
            .map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut lanes = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let read = || -> rusqlite::Result<(String, String)> { Ok((row.get(1)?, row.get(2)?)) };
            let (site, settings) = read().map_err(failed)?;
            // One that cannot be read any more stops nobody else; dispatch() says so to the owner.
            let Ok(mut endpoint) = stored_endpoint(&settings) else { continue };
            endpoint.site = site;
            let lane = || -> rusqlite::Result<Lane> {
                Ok(Lane {
                    key: row.get(0)?,
                    endpoint,
                    removed: row.get(3)?,
                    site_paused: row.get(4)?,
                    epoch: row.get(5)?,
                    standing: read_standing(row, 6)?,
                })
            };
            lanes.push(lane().map_err(failed)?);
        }
        Ok(lanes)
    }

    /// The endpoints of `site` that new events go to.
    pub(super) fn enabled_endpoints(&self, site: &str) -> Result<Vec<(i64, Endpoint)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key, settings FROM endpoint WHERE site = ?1 AND NOT removed ORDER BY key")
            .map_err(failed)?;
        let rows = statement
            .query_map([site], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(failed)?;
        let mut endpoints = Vec::with_capacity(rows.len());
        for (key, settings) in rows {
            let endpoint = stored_endpoint(&settings)?;
            if endpoint.enabled {
                endpoints.push((key, endpoint));
            }
        }
        Ok(endpoints)
    }
}

/// Reads the columns of [`STANDING`].
pub(super) fn read_standing(row: &Row, first: usize) -> rusqlite::Result<Standing> {
    Ok(Standing {
        suspended: row.get(first)?,
        paused_until: row.get(first + 1)?,
        throttled: row.get(first + 2)?,
        failures: row.get(first + 3)?,
        failing_since: row.get(first + 4)?,
        failing_days: row.get(first + 5)?,
        last_failure_at: row.get(first + 6)?,
        last_success_at: row.get(first + 7)?,
        open_until: row.get(first + 8)?,
    })
}

/// Writes an endpoint's standing, unless it has begun anew.
pub(super) fn write_standing(
    connection: &Connection,
    LaneChange { key, epoch, standing }: &LaneChange,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE endpoint SET suspended = ?3, paused_until = ?4, throttled = ?5, failures = ?6, failing_since = ?7,
               failing_days = ?8, last_failure_at = ?9, last_success_at = ?10, open_until = ?11
             WHERE key = ?1 AND epoch = ?2",
        )?
        .execute((
            key,
            epoch,
            &standing.suspended,
            standing.paused_until,
            standing.throttled,
            standing.failures,
            standing.failing_since,
            standing.failing_days,
            standing.last_failure_at,
            standing.last_success_at,
            standing.open_until,
        ))
}

/// Forgets what is known of an endpoint's receiver, which is at `url` from now on.
fn begin_anew(connection: &Connection, key: i64, url: &str) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE endpoint SET url = ?2, epoch = epoch + 1, suspended = NULL, paused_until = 0, throttled = 0, failures = 0,
               failing_since = NULL, failing_days = 0, open_until = 0,
               last_failure_at = iif(url = ?2, last_failure_at, NULL), last_success_at = iif(url = ?2, last_success_at, NULL)
             WHERE key = ?1",
        )?
        .execute((key, url))
}

fn state(lane: Lane, now: Millis) -> EndpointState {
    let Lane { endpoint, standing, .. } = lane;
    // Without a breaker, what an earlier one left behind holds nothing up.
    let circuit = if endpoint.circuit_breaker { standing.circuit(now) } else { Circuit::Closed };
    EndpointState {
        id: endpoint.id,
        site: endpoint.site,
        url: endpoint.url,
        enabled: endpoint.enabled,
        suspended: standing.suspended,
        paused_until: (standing.paused_until > now).then_some(standing.paused_until),
        circuit,
        circuit_open_until: (circuit == Circuit::Open).then_some(standing.open_until),
        failures: standing.failures,
        failing_since: standing.failing_since,
        last_failure_at: standing.last_failure_at,
        last_success_at: standing.last_success_at,
    }
}

pub(super) fn stored_endpoint(settings: &str) -> Result<Endpoint> {
    serde_json::from_str::<Value>(settings)
        .map_err(|error| {
            Error::unavailable(format!("the queue's copy of an endpoint is damaged: {error}; save the settings again"))
        })
        .and_then(|value| Endpoint::from_stored_json(&value))
}
