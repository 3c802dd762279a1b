//! A client of a stream that reads what is on the wire.

use std::{sync::LazyLock, time::Duration};

use serde_json::Value;

use crate::support::{DEADLINE, server::Client};

/// A message as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Option<String>,
    pub kind: String,
    pub data: Value,
}

impl Message {
    pub fn payload(&self) -> &Value {
        &self.data["payload"]
    }

    pub fn position(&self) -> u64 {
        self.id
            .as_deref()
            .and_then(|id| id.parse().ok())
            .unwrap_or_else(|| panic!("an id: {self:?}"))
    }
}

/// What the document says of the messages of all streams.
static DESCRIBED: LazyLock<String> = LazyLock::new(|| {
    let document = serde_json::to_value(domainflow::http::openapi()).expect("JSON");
    let of = |path: &str| {
        let description =
            document["paths"][path]["get"]["responses"]["200"]["description"].as_str();
        description.expect("a description").to_owned()
    };
    of("/api/v2/sse/events") + &of("/api/v2/extract/keywords/stream")
});

/// One open stream.
pub struct Stream {
    response: reqwest::Response,
    text: String,
    /// Where the stream says that it began.
    pub cursor: u64,
}

impl Stream {
    /// Opens a stream of the log that is expected to be allowed.
    pub async fn open(client: &Client, path: &str, last_event_id: Option<&str>) -> Self {
        let (mut stream, cursor) = Self::opened(client, path, last_event_id).await;
        stream.cursor = cursor.expect("a cursor");
        stream
    }

    /// Opens a stream that is expected to be allowed and has no place in the log.
    pub async fn open_unpositioned(client: &Client, path: &str) -> Self {
        let (stream, cursor) = Self::opened(client, path, None).await;
        assert_eq!(cursor, None);
        stream
    }

    async fn opened(
        client: &Client,
        path: &str,
        last_event_id: Option<&str>,
    ) -> (Self, Option<u64>) {
        let mut request = client.get(path);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.0.send().await.expect("the server answers");
        if response.status() != 200 {
            panic!("{}: {:?}", response.status(), response.text().await);
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let cursor = response.headers().get("x-event-cursor");
        let cursor = cursor.map(|cursor| cursor.to_str().unwrap().parse().unwrap());
        let stream = Self {
            response,
            text: String::new(),
            cursor: 0,
        };
        (stream, cursor)
    }

    /// Waits for the next message, keep-alives included; nothing when the stream is over.
    pub async fn any(&mut self) -> Option<Message> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let message = parse(block);
                self.text = rest.to_owned();
                return Some(message);
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk())
                .await
                .expect("something comes");
            self.text
                .push_str(std::str::from_utf8(&chunk.ok().flatten()?).unwrap());
        }
    }

    /// Waits for the next message that is no keep-alive.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.any().await?;
            if message.kind != "keep_alive" {
                return Some(message);
            }
        }
    }

    /// Reads until a message is the wanted one, and returns all of them.
    pub async fn until(&mut self, mut wanted: impl FnMut(&Message) -> bool) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            let found = wanted(&message);
            messages.push(message);
            if found {
                return messages;
            }
        }
        panic!("the stream ended before: {messages:?}")
    }

    /// Takes a number of bytes and is cut off there, in the middle of whatever it is; returns the messages that were
    /// complete. Where nothing comes for a while it is cut off as well.
    pub async fn cut_after(mut self, bytes: usize) -> Vec<Message> {
        let mut text = String::new();
        while text.len() < bytes {
            match tokio::time::timeout(Duration::from_millis(700), self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
                _ => break,
            }
        }
        text.truncate(bytes);
        let Some(end) = text.rfind("\n\n") else {
            return Vec::new();
        };
        text[..end]
            .split("\n\n")
            .map(parse)
            .filter(|message| message.kind != "keep_alive")
            .collect()
    }
}

fn parse(block: &str) -> Message {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::to_owned)
    };
    let data: Value =
        serde_json::from_str(&field("data: ").unwrap_or_else(|| panic!("data: {block}"))).unwrap();
    let kind = field("event: ").unwrap_or_else(|| panic!("a type: {block}"));
    assert!(
        DESCRIBED.contains(&format!("`{kind}`")),
        "the document says nothing of {kind}"
    );
    assert_eq!(
        (&data["version"], data["type"].as_str()),
        (&1.into(), Some(kind.as_str()))
    );
    assert!(
        data["timestamp"].is_string() && data["payload"].is_object(),
        "{block}"
    );
    Message {
        id: field("id: "),
        kind,
        data,
    }
}
