//! The router on a real listener.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::world::World;
use crate::{ServeOptions, Served, serve};

async fn exchange(stream: &mut TcpStream, head: &str) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let whole = stream.read_to_string(&mut text);
    tokio::time::timeout(Duration::from_secs(30), whole).await.expect("the connection is closed").unwrap();
    text
}

#[tokio::test]
async fn draining_finishes_what_is_under_way() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let drain = world.options.drain.clone();
    let server = serve(listener, world.router.clone(), ServeOptions::default(), drain.clone());
    let server = tokio::spawn(server);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "GET /execute?target=web1&cmd=wait HTTP/1.1\r\nHost: x\r\n\r\n";
    let waiting = tokio::spawn(async move { exchange(&mut stream, head).await });
    let running = async {
        while world.get("/jobs").await.json() == json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), running).await.expect("the request has arrived");
    drain.cancel();
    world.fleet.release();
    let answer = waiting.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("web1: wait"), "{answer}");
    let served = tokio::time::timeout(Duration::from_secs(30), server).await.unwrap().unwrap();
    assert_eq!(served, Served::Finished);
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn the_drain_limit_cuts_what_does_not_end() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let drain = world.options.drain.clone();
    let options = ServeOptions { drain_limit: Duration::from_millis(50), ..ServeOptions::default() };
    let server = tokio::spawn(serve(listener, world.router.clone(), options, drain.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "GET /execute?target=web1&cmd=wait HTTP/1.1\r\nHost: x\r\n\r\n";
    let waiting = tokio::spawn(async move { exchange(&mut stream, head).await });
    let running = async {
        while world.get("/jobs").await.json() == json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), running).await.expect("the request has arrived");
    drain.cancel();
    let served = tokio::time::timeout(Duration::from_secs(30), server).await.unwrap().unwrap();
    assert_eq!(served, Served::Cut(1));
    assert_eq!(waiting.await.unwrap(), "");
    world.fleet.release();
}
