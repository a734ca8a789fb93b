//! What a receiver answers, or a proxy: the first byte says which, the rest is sent and the connection closed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use posthorn::clock::ManualClock;
use posthorn::delivery::{FailureKind, HttpTransport, MAX_BODY_BYTES, Transport};
use posthorn::endpoint::Endpoint;
use posthorn::retry::retry_after;
use serde_json::json;

struct Bed {
    answer: Arc<Mutex<Vec<u8>>>,
    transport: HttpTransport,
    /// Called directly, and through a proxy.
    endpoints: [Endpoint; 2],
}

pub fn run(data: &[u8]) {
    static BED: OnceLock<Bed> = OnceLock::new();
    let Some((way, answer)) = data.split_first() else { return };
    let bed = BED.get_or_init(bed);
    *bed.answer.lock().expect("no panic held it") = answer.to_vec();
    let exchange = bed.transport.send(&bed.endpoints[usize::from(way % 2)], &[], "{}");
    assert!(exchange.duration < Duration::from_secs(5), "{:?}", exchange.duration);
    match exchange.result {
        Ok(answer) => {
            assert!((100..1000).contains(&answer.status));
            assert!(answer.body.len() <= MAX_BODY_BYTES);
            retry_after(&answer, 0);
        }
        Err(failure) => {
            assert!(!matches!(failure.kind, FailureKind::Dns | FailureKind::Refused), "{failure:?}");
            assert!(!failure.message.contains("hush"), "{failure:?}");
        }
    }
}

fn bed() -> Bed {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = listener.local_addr().expect("its address");
    let answer = Arc::new(Mutex::new(Vec::new()));
    let served = answer.clone();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { continue };
            let mut request = [0; 4096];
            let _ = socket.read(&mut request);
            let answer = served.lock().map(|answer| answer.clone()).unwrap_or_default();
            let _ = socket.write_all(&answer);
            let _ = socket.shutdown(Shutdown::Write);
            // Until the other side has closed too, or what was sent may be lost.
            let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
            while matches!(socket.read(&mut request), Ok(1..)) {}
        }
    });
    let endpoint = |more: serde_json::Value| {
        let mut settings = json!({"url": format!("http://{place}/hush"), "allow_private": true, "timeout": 3});
        settings["proxy"] = more;
        Endpoint::from_json(&settings).expect("an endpoint")
    };
    let proxy = json!(format!("http://me:hush@{place}"));
    Bed {
        answer,
        transport: HttpTransport::new(Arc::new(ManualClock::at(0))),
        endpoints: [endpoint(json!(false)), endpoint(proxy)],
    }
}
