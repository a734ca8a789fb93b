//! The queue's copy of the endpoints, and what the engine knows of each.

use rusqlite::{OptionalExtension, TransactionBehavior};
use serde_json::Value;

use super::{Store, failed};
use crate::clock::Millis;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

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
    /// The engine's reason to send nothing there.
    pub suspended: Option<String>,
    /// The receiver asked to wait until then.
    pub paused_until: Millis,
    /// How often in a row it asked.
    pub throttled: u32,
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
}

impl Store {
    /// Replaces the endpoints of `site`. With a `revision`, only if it is higher than the one stored, so that
    /// a process with stale settings reverts nothing. Returns whether it replaced them.
    ///
    /// An endpoint keeps its suspension and pause unless its URL changes. What waits for an endpoint that is
    /// gone is cancelled by the dispatcher.
    pub fn configure(&mut self, site: &str, endpoints: &[Endpoint], revision: Option<i64>) -> Result<bool> {
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
                   suspended = iif(url = excluded.url, suspended, NULL),
                   paused_until = iif(url = excluded.url, paused_until, 0),
                   throttled = iif(url = excluded.url, throttled, 0),
                   url = excluded.url,
                   settings = excluded.settings",
            )?;
            for endpoint in endpoints {
                upsert.execute((site, &endpoint.id, &endpoint.url, endpoint.to_stored_json().to_string()))?;
            }
            transaction.execute("UPDATE setup SET version = version + 1", [])?;
            Ok(true)
        };
        let replaced = replace().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(replaced)
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

    /// Ends an endpoint's suspension and pause, at the owner's word. `false` if there is no such endpoint.
    pub fn resume(&mut self, site: &str, id: &str) -> Result<bool> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let resumed = transaction
            .execute(
                "UPDATE endpoint SET suspended = NULL, paused_until = 0, throttled = 0 WHERE site = ?1 AND id = ?2 AND NOT removed",
                (site, id),
            )
            .and_then(|resumed| transaction.execute("UPDATE setup SET version = version + 1", []).map(|_| resumed))
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(resumed > 0)
    }

    /// The endpoints of `site`, with what the engine knows of them.
    pub fn endpoint_states(&self, site: &str, now: Millis) -> Result<Vec<EndpointState>> {
        Ok(self
            .lanes()?
            .into_iter()
            .filter(|lane| lane.endpoint.site == site && !lane.removed)
            .map(|lane| EndpointState {
                id: lane.endpoint.id,
                site: lane.endpoint.site,
                url: lane.endpoint.url,
                enabled: lane.endpoint.enabled,
                suspended: lane.suspended,
                paused_until: (lane.paused_until > now).then_some(lane.paused_until),
            })
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
            .prepare_cached(
                "SELECT e.key, e.site, e.settings, e.removed, e.suspended, e.paused_until, e.throttled, ifnull(s.paused, 0)
                 FROM endpoint e LEFT JOIN site s ON s.site = e.site ORDER BY e.key",
            )
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
                    suspended: row.get(4)?,
                    paused_until: row.get(5)?,
                    throttled: row.get(6)?,
                    site_paused: row.get(7)?,
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

pub(super) fn stored_endpoint(settings: &str) -> Result<Endpoint> {
    serde_json::from_str::<Value>(settings)
        .map_err(|error| {
            Error::unavailable(format!("the queue's copy of an endpoint is damaged: {error}; save the settings again"))
        })
        .and_then(|value| Endpoint::from_json(&value))
}
