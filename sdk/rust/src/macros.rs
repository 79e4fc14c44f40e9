//! The two export macros. What they generate exists only in a build for WebAssembly; a native build of
//! the same file is a plain library that tests can use.

/// Exports a type that implements [`Executor`](crate::Executor) as an executor component.
///
/// `manifest` and the scripts are files beside the plugin's `Cargo.toml`; their bytes become custom
/// sections of the component: `exed:manifest`, and `exed:script:<name>` for each script.
///
/// ```ignore
/// exed_sdk::executor!(DiskUsage, manifest = "plugin.toml", scripts = { "usage" => "scripts/usage.sh" });
/// ```
#[macro_export]
macro_rules! executor {
    ($plugin:ident, manifest = $manifest:literal $(, scripts = { $($name:literal => $script:literal),* $(,)? })? $(,)?) => {
        $crate::embed!("exed:manifest", $manifest);
        $($($crate::embed!(concat!("exed:script:", $name), $script);)*)?

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Exported;
            impl $crate::component::executor::exports::Guest for Exported {
                fn describe() -> ::std::vec::Vec<$crate::component::executor::exports::Operation> {
                    $crate::component::executor::describe::<$plugin>()
                }
                fn validate(
                    operation: ::std::string::String,
                    args: ::std::string::String,
                ) -> ::core::result::Result<(), $crate::component::executor::exports::FieldError> {
                    $crate::component::executor::validate::<$plugin>(&operation, &args)
                }
                fn plan(
                    request: $crate::component::executor::exports::PlanRequest,
                ) -> ::core::result::Result<::std::vec::Vec<u8>, $crate::component::executor::exports::FieldError> {
                    $crate::component::executor::plan::<$plugin>(request)
                }
                fn run(
                    request: $crate::component::executor::exports::RunRequest,
                ) -> ::core::result::Result<(), $crate::component::executor::exports::RunError> {
                    $crate::component::executor::run::<$plugin>(request)
                }
            }
            $crate::component::executor::bindings::export!(Exported with_types_in $crate::component::executor::bindings);
        };
    };
}

/// Exports a type that implements [`Policy`](crate::Policy) as a policy component.
///
/// ```ignore
/// exed_sdk::policy!(Allowlist, manifest = "plugin.toml");
/// ```
#[macro_export]
macro_rules! policy {
    ($plugin:ident, manifest = $manifest:literal $(,)?) => {
        $crate::embed!("exed:manifest", $manifest);

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::std::thread_local! {
                static CONFIGURED: $crate::component::policy::Configured<$plugin> =
                    const { $crate::component::policy::Configured::new() };
            }
            struct Exported;
            impl $crate::component::policy::exports::Guest for Exported {
                fn configure(
                    config: ::std::string::String,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    CONFIGURED.with(|policy| policy.configure(&config))
                }
                fn evaluate(
                    subject: $crate::component::policy::exports::Subject,
                    actions: ::std::vec::Vec<$crate::component::policy::exports::Action>,
                ) -> ::std::vec::Vec<$crate::component::policy::exports::Verdict> {
                    CONFIGURED.with(|policy| policy.evaluate(subject, actions))
                }
            }
            $crate::component::policy::bindings::export!(Exported with_types_in $crate::component::policy::bindings);
        };
    };
}

/// Puts the bytes of a file beside `Cargo.toml` into a custom section of the component.
#[doc(hidden)]
#[macro_export]
macro_rules! embed {
    ($section:expr, $file:literal) => {
        const _: () = {
            const BYTES: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $file));
            #[cfg(target_arch = "wasm32")]
            #[used]
            #[unsafe(link_section = $section)]
            static SECTION: [u8; BYTES.len()] =
                *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $file));
            let _ = BYTES;
        };
    };
}
