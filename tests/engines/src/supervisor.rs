//! A shell that owns an engine: it obeys words on its standard input and cleans up when that closes.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Who runs the engines when the tests run as root; some engines refuse to.
const UNPRIVILEGED: &str = "nobody";

/// An engine's directory and the shell that runs it there.
#[derive(Debug)]
pub(crate) struct Supervisor {
    directory: PathBuf,
    /// `Some` until it is dropped.
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    shell: Child,
}

impl Supervisor {
    /// Makes a directory, which is `$dir` of the script, and runs a shell script with these functions of `$dir`'s engine:
    /// `prepare`, then `start` and `crash` as often as they are asked for, `stop` at the end.
    ///
    /// # Panics
    ///
    /// When the engine does not start; its output is in the message.
    pub(crate) fn start(name: &str, functions: &str, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir()
            .expect("the temporary directory is writable")
            .keep();
        let mut command = unprivileged_shell(&directory);
        command.arg(format!("{functions}\n{LOOP}")).env("dir", &directory).envs(variables.iter().copied());
        // Of its own group, so that a Ctrl-C meant for the tests leaves it to clean up.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir(&directory);
        let mut shell = command.spawn().expect("the machine has a shell");
        let words = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("its output is piped"));
        let mut supervisor = Self { directory, words, answers, shell };
        supervisor.hear("prepare");
        supervisor.obey("start");
        supervisor
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Says a word, or one with arguments, and returns when it has been done.
    pub(crate) fn obey(&mut self, word: &str) {
        let words = self.words.as_mut().expect("it is there until it is dropped");
        writeln!(words, "{word}").expect("the engine's shell listens");
        self.hear(word);
    }

    fn hear(&mut self, word: &str) {
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).expect("the engine's shell answers");
            if line.trim_end() == format!("done: {word}") {
                return;
            }
            said.push_str(&line);
            assert!(read > 0, "`{word}` of the engine failed: {said}");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.words = None;
        // Whatever it answers: a panic here would hide the test's own.
        drop(self.shell.wait());
    }
}

/// Also when a word fails, or nobody hears the answer any more, what was started is stopped.
const LOOP: &str = r#"
trap '' INT TERM HUP PIPE
trap 'stop >/dev/null 2>&1; cd /; rm -rf "$dir"' EXIT
say() { "$@" </dev/null 2>&1 || exit 1; echo "done: $*"; }
say prepare
while read -r words; do say $words; done
"#;

/// A shell that is not root's, with the directory as its own.
fn unprivileged_shell(directory: &Path) -> Command {
    if id(&["-u"]) != 0 {
        let mut shell = Command::new("sh");
        shell.arg("-c");
        return shell;
    }
    let (user, group) = (id(&["-u", UNPRIVILEGED]), id(&["-g", UNPRIVILEGED]));
    chown(directory, Some(user), Some(group)).expect("root may give a directory away");
    let mut shell = Command::new("setpriv");
    shell.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "sh", "-c"]);
    shell
}

fn id(arguments: &[&str]) -> u32 {
    let output = Command::new("id").args(arguments).output().expect("the machine has `id`");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("`id {}` answers {text:?}", arguments.join(" ")))
}
