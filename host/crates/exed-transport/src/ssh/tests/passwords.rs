//! Passwords, against russh's own server: sshd would need accounts of this machine.

use std::sync::Arc;

use russh::keys::PrivateKey;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, run_stream};
use russh::{Channel as ServerChannel, ChannelId, Error, MethodKind, MethodSet};
use tokio::net::TcpListener;

use super::*;
use crate::ssh::HostKeyPolicy;

const PASSWORD: &str = "richtig";

/// Accepts one password, by either method, and answers every command with `in`.
struct Gate;

impl Handler for Gate {
    type Error = Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Error> {
        Ok(if password == PASSWORD { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Error> {
        let Some(mut response) = response else {
            let prompts = vec![("Password: ".into(), false)].into();
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts });
        };
        let right = response.next().is_some_and(|answer| answer == PASSWORD);
        Ok(if right { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        _: ServerChannel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, _: &[u8], session: &mut Session) -> Result<(), Error> {
        session.channel_success(id)?;
        session.data(id, "in")?;
        session.exit_status_request(id, 0)?;
        session.close(id)
    }
}

/// A server that offers one method, until the test's runtime ends. Gives its port.
async fn serve(method: MethodKind) -> u16 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("host_key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&file)
        .status();
    assert!(made.expect("ssh-keygen is needed: apt-get install openssh-client").success());
    let key = PrivateKey::from_openssh(std::fs::read_to_string(&file).unwrap()).unwrap();
    let config = Arc::new(Config {
        methods: MethodSet::from([method].as_slice()),
        auth_rejection_time: Duration::ZERO,
        keys: vec![key],
        ..Config::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let session = run_stream(Arc::clone(&config), stream, Gate).await;
            tokio::spawn(async move {
                if let Ok(session) = session {
                    let _ended = session.await;
                }
            });
        }
    });
    port
}

fn host(port: u16, password: &str) -> Host {
    let vars = json!({"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_password": password});
    let vars = vars.as_object().unwrap().clone();
    Host { name: HostName("gate".to_owned()), groups: Vec::new(), vars, labels: Default::default() }
}

fn connector(home: &Path) -> SshConnector {
    let mut options = options(home);
    options.host_key_policy = Some(HostKeyPolicy::Off);
    SshConnector::new(options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_logs_in_by_either_method_and_a_wrong_one_does_not() {
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let port = serve(method).await;
        let home = tempfile::tempdir().unwrap();
        let connector = connector(home.path());
        assert_eq!(stdout_of(&connector, &host(port, PASSWORD), "id").await, "in");
        let error = run(&connector, &host(port, "falsch"), "id").await.unwrap_err().to_string();
        assert!(error.contains("the password was refused") && !error.contains("falsch"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_not_sent_where_another_key_is_recorded() {
    let port = serve(MethodKind::Password).await;
    let other = start(&[]);
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    let line = other.known_hosts_line().unwrap().replace(&other.port().to_string(), &port.to_string());
    std::fs::write(home.path().join(".ssh/known_hosts"), line).unwrap();
    let error = run(&connector(home.path()), &host(port, PASSWORD), "id").await.unwrap_err().to_string();
    assert!(error.contains("was not sent"), "{error}");
}
