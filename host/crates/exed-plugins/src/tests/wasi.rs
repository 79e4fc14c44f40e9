//! A guest that imports WASI finds nothing behind it.

use std::sync::Arc;

use exed_domain::ports::PluginError;

use super::fixture::Fixture;
use super::support::{Server, start};

const CLI: &str = "package wasi:cli@0.2.6;
    interface environment {
        get-environment: func() -> list<tuple<string, string>>;
        get-arguments: func() -> list<string>;
    }";
const FILESYSTEM: &str = "package wasi:filesystem@0.2.6;
    interface types { resource descriptor; }
    interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }";

#[tokio::test(flavor = "multi_thread")]
async fn no_environment_no_arguments_no_folders() {
    // Each call stores a pair (pointer, length) at 3300; a length other than 0 traps.
    let check = |call: &str| {
        format!(
            "(i32.store (i32.const 3304) (i32.const 99)) (call ${call} (i32.const 3300))
             (if (i32.load (i32.const 3304)) (then (unreachable)))"
        )
    };
    let calls = ["get-environment", "get-arguments", "get-directories"];
    let fixture = Fixture {
        imports: vec![
            ("wasi:cli/environment", "get-environment", 1),
            ("wasi:cli/environment", "get-arguments", 1),
            ("wasi:filesystem/preopens", "get-directories", 1),
        ],
        packages: vec![CLI, FILESYSTEM],
        run: format!("{} (i32.const 3100)", calls.map(check).join("\n")),
        ..Fixture::executor("tourist")
    };
    let started = start(&[fixture.build()], &[]).await;
    assert_eq!(started.refusals(), []);
    started.run(&Arc::new(Server::default())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_output_counts_as_output() {
    let streams = "package wasi:io@0.2.6;
        interface error { resource error; }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }";
    let stdout = "package wasi:cli@0.2.6;
        interface stdout {
            use wasi:io/streams@0.2.6.{output-stream};
            get-stdout: func() -> output-stream;
        }";
    let write = "[method]output-stream.blocking-write-and-flush";
    let mut fixture = Fixture {
        imports: vec![("wasi:io/streams", write, 4)],
        packages: vec![streams, stdout],
        more: "[limits]\noutput_kib = 64".into(),
        ..Fixture::executor("printer")
    };
    // The first handle that a component gets is 1.
    fixture.run = format!(
        "(drop (call $get-stdout)) (loop $l
           (call $\"{write}\" (i32.const 1) (i32.const 0) (i32.const 4000) (i32.const 3300)) (br $l)) (unreachable)"
    );
    let started = start(&[fixture.build_with_stdout()], &[]).await;
    assert_eq!(started.refusals(), []);
    let ended = started.run(&Arc::new(Server::default())).await.unwrap_err();
    assert!(matches!(&ended, PluginError::Limit { limit: "output", .. }), "{ended:?}");
}
