//! Rows on their way past the driver.
//!
//! The driver hands out every row of a COPY as a message of its own, shares of one buffer that are
//! counted one by one: that costs more than reading what is in them. A [`Tap`] between driver and
//! socket takes the rows out of the stream while its [`Basin`] is open, and collects them. Everything
//! else goes to the driver as it came, so that the driver alone speaks the protocol.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};
use tokio_postgres::{CopyOutStream, Error};

/// Bytes that are read from the socket at once.
const BLOCK: usize = 1 << 16;

/// So many bytes of rows are worth waking the taker for…
const ENOUGH: usize = 1 << 16;

/// …and with so many the server has to wait for it.
const FULL: usize = 1 << 19;

/// The tag of a message that holds rows of a COPY.
const COPY_DATA: u8 = b'd';

/// Tag and length of a message.
const HEADER: usize = 5;

/// Where rows collect that were taken out of the stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Basin(Arc<Mutex<Level>>);

#[derive(Debug, Default)]
struct Level {
    open: bool,
    rows: Vec<u8>,
    /// So many bytes of `rows` are of messages that have come whole.
    whole: usize,
    /// Who waits for rows, and who waits for room.
    taker: Option<Waker>,
    tap: Option<Waker>,
}

impl Level {
    fn is_full(&self) -> bool {
        self.open && self.whole >= FULL
    }
}

impl Basin {
    fn level(&self) -> MutexGuard<'_, Level> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is there a tap that leads here? Only while the connection is open.
    pub fn has_tap(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// From now on rows collect here, until a [`Flow`] of them ends.
    pub fn open(&self) {
        let mut level = self.level();
        level.open = true;
        level.rows.clear();
        level.whole = 0;
    }

    /// From now on all goes to the driver; rows that nobody took are gone.
    fn close(&self) {
        let mut level = self.level();
        *level = Level { tap: level.tap.take(), ..Level::default() };
        wake(&mut level.tap);
    }

    /// Swaps the rows that have come whole for an empty buffer. `enough`: only if it is worth it,
    /// otherwise the taker is woken when it is.
    pub fn take(&self, into: &mut Vec<u8>, enough: Option<&Context<'_>>) -> bool {
        let mut level = self.level();
        let least = if enough.is_some() { ENOUGH } else { 1 };
        if level.whole < least {
            level.taker = enough.map(|context| context.waker().clone());
            return false;
        }
        into.clear();
        let whole = level.whole;
        into.extend_from_slice(&level.rows[whole..]);
        level.rows.truncate(whole);
        std::mem::swap(into, &mut level.rows);
        level.whole = 0;
        wake(&mut level.tap);
        true
    }
}

/// The bytes of one COPY, past the driver or, where there is no tap, from it.
pub(super) struct Flow<'a> {
    basin: &'a Basin,
    stream: Pin<Box<CopyOutStream>>,
    taken: Vec<u8>,
    over: bool,
}

impl<'a> Flow<'a> {
    /// The bytes of a COPY that began after its basin was opened.
    pub fn new(basin: &'a Basin, stream: CopyOutStream) -> Flow<'a> {
        Flow { basin, stream: Box::pin(stream), taken: Vec::new(), over: false }
    }

    /// Waits for the next bytes; `None` after the last. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Result<&[u8], Error>> {
        let next = std::future::poll_fn(|context| self.poll(context)).await?;
        Some(next.map(|()| self.taken.as_slice()))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(), Error>>> {
        if !self.over {
            if self.basin.take(&mut self.taken, Some(context)) {
                return Poll::Ready(Some(Ok(())));
            }
            match self.stream.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(bytes)) => {
                    return Poll::Ready(Some(bytes.map(|bytes| {
                        self.taken.clear();
                        self.taken.extend_from_slice(&bytes);
                    })));
                }
                // The end came by the same stream, so all rows lie in the basin.
                Poll::Ready(None) => self.over = true,
            }
        }
        let more = self.basin.take(&mut self.taken, None);
        Poll::Ready(more.then_some(Ok(())))
    }
}

impl Drop for Flow<'_> {
    fn drop(&mut self) {
        self.basin.close();
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// What the next bytes of the stream belong to.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// A header, of which so many bytes have come.
    Header(usize),
    /// A message for the driver: bytes of its header, and of the rest, that it still has to get.
    Driver { header: usize, rest: usize },
    /// Rows for the basin: bytes that are still to come.
    Rows(usize),
}

/// A stream whose rows go into a basin.
pub(super) struct Tap<S> {
    inner: S,
    binding: fn(&S) -> ChannelBinding,
    basin: Basin,
    block: Box<[u8]>,
    /// The bytes of the block that are still to be sorted.
    at: usize,
    end: usize,
    header: [u8; HEADER],
    part: Part,
}

impl<S> Tap<S> {
    /// A tap on a stream that begins with a message of the server.
    pub fn new(inner: S, binding: fn(&S) -> ChannelBinding, basin: Basin) -> Tap<S> {
        let block = vec![0; BLOCK].into_boxed_slice();
        Tap { inner, binding, basin, block, at: 0, end: 0, header: [0; HEADER], part: Part::Header(0) }
    }

    /// Gives out the bytes of the block; stops where either side can take no more.
    fn sort(&mut self, level: &mut Level, out: &mut ReadBuf<'_>) {
        while !level.is_full() {
            let bytes = &self.block[self.at..self.end];
            match self.part {
                Part::Header(0) if level.open => {
                    let taken = take_rows(bytes, level);
                    self.at += taken;
                    if taken == 0 && !self.read_header(0, true) {
                        return;
                    }
                }
                Part::Header(known) => {
                    if !self.read_header(known, level.open) {
                        return;
                    }
                }
                Part::Rows(left) => {
                    let some = left.min(bytes.len());
                    if level.open {
                        level.rows.extend_from_slice(&bytes[..some]);
                    }
                    self.at += some;
                    self.part = Part::Rows(left - some);
                    if some < left {
                        return;
                    }
                    level.whole = level.rows.len();
                    self.part = Part::Header(0);
                }
                Part::Driver { header: 0, rest } => {
                    let some = rest.min(bytes.len()).min(out.remaining());
                    out.put_slice(&bytes[..some]);
                    self.at += some;
                    self.part = Part::Driver { header: 0, rest: rest - some };
                    if some < rest {
                        return;
                    }
                    self.part = Part::Header(0);
                }
                Part::Driver { header, rest } => {
                    let some = header.min(out.remaining());
                    out.put_slice(&self.header[HEADER - header..][..some]);
                    self.part = Part::Driver { header: header - some, rest };
                    if some < header {
                        return;
                    }
                }
            }
        }
    }

    /// Reads on in a header of which `known` bytes have come; false: it is not whole yet.
    fn read_header(&mut self, known: usize, open: bool) -> bool {
        let some = (HEADER - known).min(self.end - self.at);
        self.header[known..known + some].copy_from_slice(&self.block[self.at..self.at + some]);
        self.at += some;
        if known + some < HEADER {
            self.part = Part::Header(known + some);
            return false;
        }
        let [tag, length @ ..] = self.header;
        // The length counts itself. What is shorter is no message: the driver will say so.
        self.part = match (u32::from_be_bytes(length) as usize).checked_sub(4) {
            Some(rest) if tag == COPY_DATA && open => Part::Rows(rest),
            rest => Part::Driver { header: HEADER, rest: rest.unwrap_or(usize::MAX) },
        };
        true
    }
}

/// Takes messages of rows as long as they lie there whole; answers how many bytes that were.
fn take_rows(bytes: &[u8], level: &mut Level) -> usize {
    let mut at = 0;
    while let Some([COPY_DATA, length @ ..]) = bytes[at..].first_chunk::<HEADER>() {
        let end = at + 1 + u32::from_be_bytes(*length) as usize;
        let Some(rows) = bytes.get(at + HEADER..end) else { break };
        level.rows.extend_from_slice(rows);
        at = end;
    }
    level.whole = level.rows.len();
    at
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        let given = out.filled().len();
        loop {
            let basin = tap.basin.clone();
            let mut level = basin.level();
            tap.sort(&mut level, out);
            if level.whole >= ENOUGH {
                wake(&mut level.taker);
            }
            if out.filled().len() > given || out.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if level.is_full() {
                level.tap = Some(context.waker().clone());
                return Poll::Pending;
            }
            drop(level);
            let mut block = ReadBuf::new(&mut tap.block);
            match Pin::new(&mut tap.inner).poll_read(context, &mut block) {
                Poll::Ready(Ok(())) => (tap.at, tap.end) = (0, block.filled().len()),
                other => return other,
            }
            if tap.end == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Tap<S> {
    fn channel_binding(&self) -> ChannelBinding {
        (self.binding)(&self.inner)
    }
}

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;
