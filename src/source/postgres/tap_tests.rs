//! What a tap takes out of a stream, however the stream is cut.

use super::*;

/// A stream that gives so many bytes at once.
struct Pieces<'a>(&'a [u8], usize);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (some, rest) = self.0.split_at(self.1.min(self.0.len()).min(out.remaining()));
        out.put_slice(some);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

fn message(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u32 + 4;
    [&[tag], length.to_be_bytes().as_slice(), content].concat()
}

/// What the driver reads, `room` bytes at once, until the stream ends or the tap waits.
fn driver_reads<S: AsyncRead + Unpin>(tap: &mut Tap<S>, room: usize) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        let mut bytes = vec![0; room];
        let mut out = ReadBuf::new(&mut bytes);
        match Pin::new(&mut *tap).poll_read(&mut Context::from_waker(Waker::noop()), &mut out) {
            Poll::Pending => return (all, false),
            Poll::Ready(done) => done.expect("the stream has no errors"),
        }
        if out.filled().is_empty() {
            return (all, true);
        }
        all.extend_from_slice(out.filled());
    }
}

fn tap_on<'a>(bytes: &'a [u8], size: usize, basin: &Basin) -> Tap<Pieces<'a>> {
    Tap::new(Pieces(bytes, size), |_| ChannelBinding::none(), basin.clone())
}

#[test]
fn rows_go_into_the_basin_and_the_rest_to_the_driver() {
    let before = message(b'H', b"\x01\x00\x00");
    let notice = message(b'N', b"a notice between rows");
    let after = [message(b'c', b""), message(b'C', b"COPY 2\0"), message(b'Z', b"T")].concat();
    let rows = [message(b'd', b"row 1;"), notice.clone(), message(b'd', b""), message(b'd', b"row 22;")];
    let all = [before.clone(), rows.concat(), after.clone()].concat();
    for size in 1..=all.len() {
        for room in [1, 3, 1024] {
            let basin = Basin::default();
            assert_eq!(driver_reads(&mut tap_on(&all, size, &basin), room), (all.clone(), true));
            let mut tap = tap_on(&all, size, &basin);
            basin.open();
            let (driver, ended) = driver_reads(&mut tap, room);
            assert!(ended);
            assert_eq!(driver, [before.clone(), notice.clone(), after.clone()].concat());
            let mut taken = Vec::new();
            assert!(basin.take(&mut taken, None));
            assert_eq!(taken, b"row 1;row 22;", "pieces of {size}, room of {room}");
            assert!(!basin.take(&mut taken, None));
        }
    }
}

#[test]
fn a_full_basin_holds_the_stream_up_until_rows_are_taken() {
    let row = message(b'd', &[7; 1000]);
    let all = [row.repeat(3 * FULL / 1000), message(b'c', b"")].concat();
    let basin = Basin::default();
    let mut tap = tap_on(&all, 4000, &basin);
    basin.open();
    let mut taken = Vec::new();
    let mut rows = 0;
    loop {
        let (driver, ended) = driver_reads(&mut tap, 64);
        assert!(basin.take(&mut taken, None), "there is more each time");
        assert!(taken.len() < 2 * FULL && taken.len() % 1000 == 0);
        rows += taken.len() / 1000;
        if ended {
            assert_eq!(driver, message(b'c', b""));
            break;
        }
        assert!(driver.is_empty());
    }
    assert_eq!(rows, 3 * FULL / 1000);
}

#[test]
fn a_row_longer_than_the_basin_comes_whole() {
    let all = [message(b'd', b"short"), message(b'd', &vec![7; 2 * FULL])].concat();
    let basin = Basin::default();
    basin.open();
    let mut tap = tap_on(&all, 4000, &basin);
    assert_eq!(driver_reads(&mut tap, 64), (Vec::new(), false), "the basin is full");
    let mut taken = Vec::new();
    assert!(basin.take(&mut taken, None));
    assert_eq!(taken.len(), 5 + 2 * FULL);
    assert_eq!(driver_reads(&mut tap, 64), (Vec::new(), true));
}

#[test]
fn a_copy_that_was_given_up_fills_nothing() {
    let all = [message(b'd', &vec![7; 2 * FULL]), message(b'd', b"more"), message(b'Z', b"E")].concat();
    let basin = Basin::default();
    basin.open();
    let mut tap = tap_on(&all, 1000, &basin);
    tap.inner.0 = &all[..5000];
    assert_eq!(driver_reads(&mut tap, 64), (Vec::new(), true));
    basin.close();
    tap.inner.0 = &all[5000..];
    let (driver, ended) = driver_reads(&mut tap, 64);
    assert!(ended);
    assert_eq!(driver, [message(b'd', b"more"), message(b'Z', b"E")].concat());
    assert!(!basin.take(&mut Vec::new(), None));
}

#[test]
fn what_is_no_message_is_for_the_driver_to_say() {
    let all = [b"d\0\0\0\x01", &b"whatever follows"[..]].concat();
    let basin = Basin::default();
    basin.open();
    assert_eq!(driver_reads(&mut tap_on(&all, 3, &basin), 64), (all.clone(), true));
}
