//! Many requests at one moment, each on a connection of its own.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

use crate::{Reply, Socket, basic, secret};

impl Socket {
    /// Sends the forms as a fixture client, all of them once every connection is open. The answers come in the order of the
    /// forms.
    pub async fn race(&self, client_id: &str, path: &str, forms: Vec<String>) -> Vec<Reply> {
        let barrier = Arc::new(Barrier::new(forms.len()));
        let mut tasks = Vec::with_capacity(forms.len());
        for form in forms {
            let (address, barrier) = (self.address(), barrier.clone());
            let request = post(client_id, path, &form);
            tasks.push(tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("connects");
                barrier.wait().await;
                stream.write_all(request.as_bytes()).await.expect("writes");
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.expect("reads");
                read_reply(&answer)
            }));
        }
        let mut replies = Vec::with_capacity(tasks.len());
        for task in tasks {
            replies.push(task.await.expect("the task ends"));
        }
        replies
    }
}

fn post(client_id: &str, path: &str, form: &str) -> String {
    let (credentials, form) = match client_id {
        "spa" | "cli" | "dev" => (String::new(), format!("client_id={client_id}&{form}")),
        _ => (format!("authorization: {}\r\n", basic(client_id, &secret(client_id))), form.to_owned()),
    };
    format!(
        "POST {path} HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\n{credentials}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// Reads an answer with a `Content-Length`, as the socket carried it.
fn read_reply(text: &str) -> Reply {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        let name: HeaderName = name.parse().expect("a header name");
        headers.append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    let length = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    assert_eq!(length, Some(body.len()), "{text}");
    Reply { status: status.parse().expect("a status"), headers, body: body.to_owned() }
}
