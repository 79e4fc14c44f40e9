//! Following a job over connections that may break: each new one resumes after the last event seen.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use reqwest::Response;

use crate::client::Client;
use crate::error::ClientError;
use crate::sse::Parser;
use crate::wire::Event;

/// How many connections in a row may fail before the stream gives up.
const ATTEMPTS: u32 = 8;

/// The pause before the second attempt; doubled each time, up to 5 s.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

struct Follow {
    client: Client,
    job: String,
    after: u64,
    open: Option<(Response, Parser)>,
    ready: VecDeque<Event>,
    failures: u32,
    ended: bool,
}

impl Client {
    /// The events of a job after `after`, until it has ended; a connection that breaks, or a server that
    /// is restarted, is taken up where it was left. The first connection is not retried.
    pub fn follow(&self, job: &str, after: u64) -> impl Stream<Item = Result<Event, ClientError>> + use<> {
        let follow = Follow {
            client: self.clone(),
            job: job.to_owned(),
            after,
            open: None,
            ready: VecDeque::new(),
            failures: 0,
            ended: false,
        };
        try_unfold((follow, true), |(mut follow, first)| async move {
            let event = follow.next(first).await?;
            Ok(event.map(|event| (event, (follow, false))))
        })
    }
}

impl Follow {
    async fn next(&mut self, first: bool) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.after = event.seq;
                self.ended = event.is_last();
                self.failures = 0;
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.read().await {
                Ok(()) => {}
                Err(error) if first && self.after == 0 && self.open.is_none() => return Err(error),
                Err(error) => self.pause(error).await?,
            }
        }
    }

    /// Connects if need be, and takes a chunk.
    async fn read(&mut self) -> Result<(), ClientError> {
        let (response, parser) = match &mut self.open {
            Some(open) => open,
            None => {
                let response = self.client.open_events(&self.job, self.after).await?;
                self.open.insert((response, Parser::default()))
            }
        };
        let chunk = match response.chunk().await {
            Ok(chunk) => chunk,
            Err(source) => {
                self.open = None;
                return Err(self.client.broken(source));
            }
        };
        let Some(chunk) = chunk else {
            // Ended before the job: the server drains, and another one goes on.
            self.open = None;
            self.failures += 1;
            tokio::time::sleep(FIRST_PAUSE).await;
            return Ok(());
        };
        for message in parser.push(&chunk) {
            let event = serde_json::from_str(&message.data);
            self.ready.push_back(event.map_err(|error| ClientError::Event(error.to_string()))?);
        }
        Ok(())
    }

    /// Waits before the next attempt; gives up when there were too many, or when another one cannot help.
    async fn pause(&mut self, error: ClientError) -> Result<(), ClientError> {
        let passing = match &error {
            ClientError::NotRunning { .. } | ClientError::Connection { .. } => true,
            ClientError::Refused(problem) => problem.status == 503,
            ClientError::Address { .. } | ClientError::NotExed { .. } | ClientError::Event(_) => false,
        };
        self.failures += 1;
        if !passing || self.failures >= ATTEMPTS {
            return Err(error);
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(6));
        tokio::time::sleep(pause.min(Duration::from_secs(5))).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers each connection with the next part and breaks it off; returns the heads it has received.
    async fn server(listener: TcpListener, parts: Vec<&'static str>) -> Vec<String> {
        let mut heads = Vec::new();
        for part in parts {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            heads.push(String::from_utf8(head).unwrap());
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
                 {:x}\r\n{part}\r\n",
                part.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heads
    }

    #[tokio::test]
    async fn a_broken_stream_is_resumed_after_the_last_event() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let parts = vec![
            "id: 1\ndata: {\"seq\":1,\"time\":\"t\",\"kind\":\"submitted\"}\n\nid: 2\ndata: {\"se",
            "id: 2\ndata: {\"seq\":2,\"time\":\"t\",\"kind\":\"finished\",\"state\":\"done\"}\n\n",
        ];
        let server = tokio::spawn(server(listener, parts));
        let events: Vec<Event> = client.follow("7", 0).try_collect().await.unwrap();
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["submitted", "finished"]);
        let heads = server.await.unwrap();
        assert!(heads[0].starts_with("GET /api/v1/jobs/7/events HTTP/1.1\r\n"), "{}", heads[0]);
        assert!(heads[1].contains("last-event-id: 1\r\n"), "{}", heads[1]);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_said_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = Client::new(&format!("http://{address}")).unwrap();
        let error = client.follow("7", 0).try_collect::<Vec<Event>>().await.unwrap_err();
        assert!(error.to_string().contains("start one with `exed -c FILE`"), "{error}");
    }
}
