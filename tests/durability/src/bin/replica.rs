//! `replica ROLE URL`: answers the requests on its standard input, each as soon as it can.

use std::sync::Arc;

use durability_tests::{Answer, Request, Role, Service, open};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [role, url] = arguments.as_slice() else { return Err("usage: replica ROLE URL".into()) };
    let role: Role = role.parse()?;
    let store = open(url, role).await?;
    let service = if role == Role::Store {
        Service::bare(store)
    } else {
        let service = Service::new(store);
        // The first request of a browser sets its cookie; later ones may then come at the same time.
        service.answer(Request::Approve("first".to_owned())).await;
        service
    };
    let service = Arc::new(service);
    let (answers, mut to_write) = mpsc::unbounded_channel::<String>();
    let writing = tokio::spawn(async move {
        let mut output = tokio::io::stdout();
        while let Some(line) = to_write.recv().await {
            if output.write_all(line.as_bytes()).await.is_err() || output.flush().await.is_err() {
                return;
            }
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    answers.send("ready\n".to_owned())?;
    while let Some(line) = lines.next_line().await? {
        let (number, request) = line.split_once(' ').ok_or("a number and a request")?;
        let (number, request) = (number.to_owned(), request.parse()?);
        let (service, answers) = (service.clone(), answers.clone());
        tokio::spawn(async move {
            let answer: Answer = service.answer(request).await;
            // The test may be over.
            let _ = answers.send(format!("{number} {}\n", answer.to_line()));
        });
    }
    drop(answers);
    Ok(writing.await?)
}
