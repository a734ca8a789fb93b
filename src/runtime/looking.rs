//! Looking at what happened.

use super::Queue;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::event::{DeliveryId, Event};
use crate::store::{AttemptRow, DeliveryRow, Filter};

impl Queue {
    /// Deliveries; see [`Store::deliveries`](crate::store::Store::deliveries).
    pub fn deliveries(&self, filter: &Filter) -> Result<Vec<DeliveryRow>> {
        self.read(|store| store.deliveries(filter))
    }

    /// How many there are; see [`Store::count`](crate::store::Store::count).
    pub fn count(&self, filter: &Filter) -> Result<u64> {
        self.read(|store| store.count(filter))
    }

    /// A delivery's event and requests; see [`Store::attempts`](crate::store::Store::attempts).
    pub fn attempts(&self, id: DeliveryId) -> Result<Option<(Event, Vec<AttemptRow>)>> {
        self.read(|store| store.attempts(id))
    }

    /// A delivery's endpoint; see [`Store::endpoint_of`](crate::store::Store::endpoint_of).
    pub fn endpoint_of(&self, id: DeliveryId) -> Result<Option<Endpoint>> {
        self.read(|store| store.endpoint_of(id))
    }
}
