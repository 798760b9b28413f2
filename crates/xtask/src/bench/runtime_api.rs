//! As much of Lambda's runtime API as a function sees before its first event, and a port that must stay silent.

use std::{
    io::{self, BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// Answers nothing: a function that polls is ready.
pub struct RuntimeApi {
    listener: TcpListener,
    pub address: SocketAddr,
}

const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1";

impl RuntimeApi {
    pub fn open() -> io::Result<RuntimeApi> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        Ok(RuntimeApi { address: listener.local_addr()?, listener })
    }

    /// When the next function asks for its first event. The connection stays open while it is held.
    pub fn first_poll(&self, within: Duration) -> Result<(Instant, TcpStream), String> {
        let (arrived, waiting) = mpsc::channel::<()>();
        let address = self.address;
        // A function that dies never connects; the guard does so in its place.
        let guard = thread::spawn(move || {
            if waiting.recv_timeout(within).is_err() {
                drop(TcpStream::connect(address));
            }
        });
        let connection = self.listener.accept().map_err(|e| e.to_string())?.0;
        let _ = connection.set_read_timeout(Some(within));
        let mut line = String::new();
        let read = BufReader::new(&connection).read_line(&mut line);
        let at = Instant::now();
        let _ = arrived.send(());
        let _ = guard.join();
        match read {
            Ok(_) if line.trim_end() == NEXT => Ok((at, connection)),
            Ok(0) => Err(format!("did not ask for an event within {} s", within.as_secs())),
            Ok(_) => Err(format!("asked {:?} before its first event", line.trim_end())),
            Err(error) => Err(format!("connected and said nothing: {error}")),
        }
    }
}

/// Counts who connects, and hangs up.
pub struct SilentPort {
    pub address: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl SilentPort {
    pub fn open() -> io::Result<SilentPort> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, count) = (listener.local_addr()?, Arc::new(AtomicUsize::new(0)));
        let counted = count.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        Ok(SilentPort { address, count })
    }

    /// Connections so far, those included that were made and not accepted yet.
    pub fn count(&self) -> usize {
        // Our own arrives after them: once it is counted, so are they.
        let before = self.count.load(Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        while self.count.load(Ordering::SeqCst) == before {
            thread::sleep(Duration::from_micros(100));
        }
        thread::sleep(Duration::from_millis(1));
        self.count.fetch_sub(1, Ordering::SeqCst) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn says(text: &'static str) -> Result<(Instant, TcpStream), String> {
        let api = RuntimeApi::open().unwrap();
        let address = api.address;
        let function = thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            stream
        });
        let polled = api.first_poll(Duration::from_secs(2));
        function.join().unwrap();
        polled
    }

    #[test]
    fn only_the_poll_for_an_event_is_a_start() {
        assert!(says("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n").is_ok());
        let refused = says("POST /2018-06-01/runtime/init/error HTTP/1.1\r\n\r\n").unwrap_err();
        assert!(refused.contains("init/error"), "{refused}");
    }

    #[test]
    fn a_function_that_never_asks_does_not_hold_up_the_bench() {
        let api = RuntimeApi::open().unwrap();
        let refused = api.first_poll(Duration::from_millis(50)).unwrap_err();
        assert!(refused.contains("did not ask"), "{refused}");
    }

    #[test]
    fn every_connection_is_counted_and_our_own_are_not() {
        let port = SilentPort::open().unwrap();
        assert_eq!(port.count(), 0);
        for _ in 0..3 {
            drop(TcpStream::connect(port.address).unwrap());
        }
        assert_eq!(port.count(), 3);
        assert_eq!(port.count(), 3);
    }
}
