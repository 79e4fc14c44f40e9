use std::path::Path;

use exed_domain::HostName;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn host(vars: &Value) -> Host {
    let vars = vars.as_object().cloned().unwrap();
    Host { name: HostName("web1".to_owned()), groups: Vec::new(), vars, labels: Default::default() }
}

fn resolved(vars: &Value, config: &str) -> Result<Target, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, config).unwrap();
    let mut options = SshOptions::for_home(Path::new("/home/op"));
    options.default_user = "op".to_owned();
    let config = SshConfig::load(&[file], Path::new("/home/op")).unwrap();
    target(&host(vars), &options, &config)
}

#[test]
fn ansible_variables_win_over_the_files() {
    let target = resolved(
        &json!({"ansible_host": "10.0.0.1", "ansible_port": 2200, "ansible_ssh_user": "ann",
               "ansible_ssh_private_key_file": "~/k", "ansible_ssh_pass": "geheim", "ansible_ssh_timeout": 3}),
        "Host 10.*\n Port 1\n User x\n IdentityFile %d/%r-%h-%p\n StrictHostKeyChecking accept-new\n",
    )
    .unwrap();
    assert_eq!(target.label(), "ann@10.0.0.1:2200");
    assert_eq!(target.identities, [Path::new("/home/op/k"), Path::new("/home/op/ann-10.0.0.1-2200")]);
    assert_eq!(target.policy, HostKeyPolicy::AcceptNew);
    assert_eq!(target.connect_timeout, Duration::from_secs(3));
    assert!(!format!("{target:?}").contains("geheim"));
}

#[test]
fn without_anything_the_name_and_the_defaults_are_used() {
    let target = resolved(&json!({}), "").unwrap();
    assert_eq!(target.label(), "op@web1:22");
    assert_eq!(target.policy, HostKeyPolicy::Strict);
    assert_eq!(target.known_hosts.first().unwrap(), Path::new("/home/op/.ssh/known_hosts"));
}

#[test]
fn host_name_and_its_tokens() {
    let target =
        resolved(&json!({}), "Host web*\nHostName %h.example.org\nUserKnownHostsFile ~/kh none\n").unwrap();
    assert_eq!(target.address, "web1.example.org");
    assert_eq!(target.known_hosts, [Path::new("/home/op/kh")]);
}

#[test]
fn jump_chains_follow_each_hosts_own_configuration() {
    let config = "Host edge\n User e\n HostName edge.org\n ProxyJump none\nHost first\n ProxyJump edge\nHost *\n Port 77\n";
    let target = resolved(&json!({"ansible_ssh_common_args": "-J first,bob@second:23"}), config).unwrap();
    let second = target.jump.unwrap();
    assert_eq!(second.label(), "bob@second:23");
    let first = second.jump.unwrap();
    assert_eq!(first.label(), "op@first:77");
    let edge = first.jump.unwrap();
    assert_eq!(edge.label(), "e@edge.org:77");
    assert!(edge.jump.is_none());
}

#[test]
fn a_jump_through_itself_is_refused() {
    let error = resolved(&json!({}), "ProxyJump loop\n").unwrap_err();
    assert!(error.contains("loop"), "{error}");
}

#[test]
fn a_proxy_command_is_refused_with_the_way_out() {
    let error = resolved(&json!({"ansible_ssh_common_args": "-o ProxyCommand='nc %h %p'"}), "").unwrap_err();
    assert!(error.contains("ProxyJump"), "{error}");
}

#[test]
fn host_key_checking_of_the_host_wins() {
    let target =
        resolved(&json!({"ansible_host_key_checking": false}), "StrictHostKeyChecking yes\n").unwrap();
    assert_eq!(target.policy, HostKeyPolicy::Off);
}

proptest! {
    #[test]
    fn destinations_come_back(user in "[a-z]{1,6}", host in "[a-z][a-z0-9.]{0,8}", number in 1_u16..) {
        let (name, directives) = destination(&format!("ssh://{user}@{host}:{number}")).unwrap();
        prop_assert_eq!(name, host);
        let expected = vec![
            ("user".to_owned(), vec![user]),
            ("port".to_owned(), vec![number.to_string()]),
        ];
        prop_assert_eq!(directives, expected);
    }

    #[test]
    fn no_destination_panics(text in ".{0,40}") {
        let _ignored: Result<(String, Vec<Directive>), String> = destination(&text);
    }
}
