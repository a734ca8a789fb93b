//! What a connection has read and not used, and what it has to send.

use ureq::unversioned::transport;

/// An answer's status line and headers are this long at most.
pub(super) const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The size both buffers begin with: most requests and nearly all answers fit.
const START_BYTES: usize = 8 * 1024;
/// Room there always is for the next header line, which must fit whole: an endpoint's are at most 4 KiB.
const ROOM_BYTES: usize = 8 * 1024;
/// What is collected before it is sent.
const SEND_BYTES: usize = 24 * 1024;
/// A head must fit whole, with room to see that it does not.
const MAX_INPUT_BYTES: usize = MAX_HEAD_BYTES + START_BYTES;

/// Buffers that grow from 8 KiB, so that 32 kept connections cost little.
///
/// Output is collected over several calls: head and body leave in one packet.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    input: Vec<u8>,
    /// The unused part of `input`.
    start: usize,
    end: usize,
    /// The last look at the input used some of it.
    progress: bool,
    output: Vec<u8>,
    filled: usize,
}

impl Buffers {
    /// Takes `amount` more bytes of the output as written. Returns whether it is time to send.
    pub fn output_written(&mut self, amount: usize) -> bool {
        self.filled = (self.filled + amount).min(self.output.len());
        self.filled + ROOM_BYTES > SEND_BYTES
    }

    /// What is to be sent.
    pub fn unsent(&self) -> &[u8] {
        &self.output[..self.filled]
    }

    /// Forgets what was to be sent.
    pub fn output_sent(&mut self) {
        self.filled = 0;
    }

    /// Whether nothing is left over from the request before.
    pub fn is_clean(&self) -> bool {
        self.start == self.end && self.filled == 0
    }
}

impl transport::Buffers for Buffers {
    fn output(&mut self) -> &mut [u8] {
        if self.output.len() < self.filled + ROOM_BYTES {
            let wanted = (self.output.len() * 2).clamp(self.filled + ROOM_BYTES, SEND_BYTES);
            self.output.resize(wanted, 0);
        }
        &mut self.output[self.filled..]
    }

    fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.input.len() {
            let wanted = (self.input.len() * 2).clamp(START_BYTES, MAX_INPUT_BYTES);
            self.input.resize(wanted, 0);
        }
        &mut self.input[self.end..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.end = (self.end + amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.start = (self.start + amount).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        // The first is scratch space for chunked bodies, which are never sent.
        (&mut [], transport::Buffers::output(self))
    }

    fn can_use_input(&self) -> bool {
        self.start < self.end && self.progress
    }
}
