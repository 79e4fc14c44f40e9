//! Components made by hand: a core module in the text format, wrapped with the repository's WIT.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const PACKAGES: [&str; 5] = [
    include_str!("../../../../../wit/next/types/types.wit"),
    include_str!("../../../../../wit/next/transport/transport.wit"),
    include_str!("../../../../../wit/next/events/events.wit"),
    include_str!("../../../../../wit/next/executor/executor.wit"),
    include_str!("../../../../../wit/next/policy/policy.wit"),
];

/// A function import: interface, function, and core parameters (`i32` each).
type Import = (&'static str, &'static str, usize);

pub(super) const LOG: Import = ("exed:events/events", "log", 3);
pub(super) const REPORT: Import = ("exed:events/events", "report", 8);
pub(super) const BATCH: Import = ("exed:transport/steps", "run-batch", 6);

/// A component to be made.
#[derive(Clone)]
pub(super) struct Fixture {
    pub(super) name: &'static str,
    pub(super) version: String,
    pub(super) operation: &'static str,
    /// The version of the plugin API that it is built for.
    pub(super) api: &'static str,
    pub(super) capabilities: &'static str,
    /// More lines of the manifest.
    pub(super) more: String,
    pub(super) imports: Vec<Import>,
    /// WIT packages beside the repository's.
    pub(super) packages: Vec<&'static str>,
    /// The body of `run`; it leaves a pointer to the result on the stack.
    pub(super) run: String,
    /// Further custom sections.
    pub(super) sections: Vec<(String, Vec<u8>)>,
}

impl Fixture {
    /// An executor that offers `operation` and does nothing.
    pub(super) fn executor(name: &'static str) -> Self {
        Self {
            name,
            version: "1.0.0".into(),
            operation: "ping",
            api: "0.1.0",
            capabilities: "",
            more: String::new(),
            imports: Vec::new(),
            packages: Vec::new(),
            run: "(i32.const 3100)".into(),
            sections: Vec::new(),
        }
    }

    /// The same with a body and the capability `events`.
    pub(super) fn running(name: &'static str, body: &str) -> Self {
        let imports = vec![LOG, REPORT];
        Self { capabilities: "\"events\"", imports, run: body.into(), ..Self::executor(name) }
    }

    pub(super) fn manifest(&self, kind: &str) -> String {
        let Self { name, version, capabilities, more, .. } = self;
        let (api, _) = self.api.rsplit_once('.').unwrap();
        format!(
            "name = \"{name}\"\nversion = \"{version}\"\nkind = \"{kind}\"\napi = \"^{api}\"\n\
             capabilities = [{capabilities}]\n{more}\n"
        )
    }

    /// The component with its manifest inside.
    pub(super) fn build(&self) -> Vec<u8> {
        with_section(self.bare(), "exed:manifest", self.manifest("executor").as_bytes())
    }

    /// The same with `wasi:cli/stdout`, the one import here that returns a handle.
    pub(super) fn build_with_stdout(&self) -> Vec<u8> {
        let export = "exed:executor/executor@0.1.0";
        let import =
            r#"(module (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $get-stdout (result i32)))"#;
        // A method returns its result through a pointer, and its core name needs no other change.
        let core = self.core(export).replacen("(module", import, 1);
        let mut interfaces = self.interfaces();
        interfaces.push("wasi:cli/stdout@0.2.6".into());
        let bytes = component(&core, export, &interfaces, self.api, &self.packages);
        with_section(bytes, "exed:manifest", self.manifest("executor").as_bytes())
    }

    /// The component without a manifest.
    pub(super) fn bare(&self) -> Vec<u8> {
        let export = format!("exed:executor/executor@{}", self.api);
        let bytes = component(&self.core(&export), &export, &self.interfaces(), self.api, &self.packages);
        self.sections.iter().fold(bytes, |bytes, (name, data)| with_section(bytes, name, data))
    }

    fn versioned(&self, interface: &str) -> String {
        let version = if interface.starts_with("exed:") { self.api } else { "0.2.6" };
        format!("{interface}@{version}")
    }

    fn interfaces(&self) -> Vec<String> {
        let mut all: Vec<_> = self.imports.iter().map(|(interface, ..)| self.versioned(interface)).collect();
        all.dedup();
        all
    }

    fn core(&self, export: &str) -> String {
        let operation = self.operation;
        let mut text = String::from("(module\n");
        for (interface, function, params) in &self.imports {
            let params = " i32".repeat(*params);
            let module = self.versioned(interface);
            _ = writeln!(text, "(import \"{module}\" \"{function}\" (func $\"{function}\" (param{params})))");
        }
        text.push_str(COMMON);
        let record = words(&[1024, operation.len(), 1200, 7, 0, 1300, 2]);
        _ = write!(
            text,
            r#"(data (i32.const 1024) "{operation}") (data (i32.const 1200) "Fixture") (data (i32.const 1300) "{{}}")
            (data (i32.const 2000) "{record}") (data (i32.const 3000) "{}")
            (func (export "{export}#describe") (result i32) (i32.const 3000))
            (func (export "{export}#validate") (param i32 i32 i32 i32) (result i32) (i32.const 3100))
            (func (export "{export}#plan") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 3100))
            (func $do-the-work (export "{export}#run")
              (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {})
            )"#,
            words(&[2000, 1]),
            self.run
        );
        text
    }
}

/// A policy whose `configure` and `evaluate` have the given bodies. In `evaluate`, local 9 is the number of
/// actions, 3200 a pair to return, and the memory from 40000 is zero (`allow`).
pub(super) fn policy(name: &str, configure: &str, evaluate: &str) -> Vec<u8> {
    let export = "exed:policy/policy@0.1.0";
    let core = format!(
        r#"(module {COMMON}
        (func (export "{export}#configure") (param i32 i32) (result i32) {configure})
        (func (export "{export}#evaluate")
          (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {evaluate}))"#
    );
    let manifest = format!("name = \"{name}\"\nversion = \"1.0.0\"\nkind = \"policy\"\napi = \"^0.1\"\n");
    with_section(component(&core, export, &[], "0.1.0", &[]), "exed:manifest", manifest.as_bytes())
}

pub(super) const ALLOW: &str = "(i32.store (i32.const 3200) (i32.const 40000))
    (i32.store (i32.const 3204) (local.get 9)) (i32.const 3200)";
pub(super) const CONFIGURED: &str = "(i32.const 3100)";
pub(super) const FOR_EVER: &str = "(loop $l (br $l)) (unreachable)";

/// Four pages, everything that is returned stands below 64 KiB, and arguments are laid out above it.
const COMMON: &str = r#"
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      ;; Everything below is passed on again once the space is used up.
      (if (i32.gt_u (global.get $next) (i32.const 250000)) (then (global.set $next (i32.const 65536))))
      (local.get $at))
"#;

fn words(values: &[usize]) -> String {
    let bytes = values.iter().flat_map(|value| u32::try_from(*value).unwrap().to_le_bytes());
    bytes.fold(String::new(), |mut text, byte| {
        _ = write!(text, "\\{byte:02x}");
        text
    })
}

fn component(core: &str, export: &str, imports: &[String], api: &str, packages: &[&str]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    for package in PACKAGES.iter().chain(packages) {
        resolve.push_str("fixture.wit", &package.replace("@0.1.0", &format!("@{api}"))).unwrap();
    }
    let imports: String = imports.iter().map(|import| format!("import {import};\n")).collect();
    let world = format!("package fixture:fixture;\nworld fixture {{ {imports} export {export}; }}");
    let package = resolve.push_str("world.wit", &world).unwrap();
    let world = resolve.select_world(&[package], Some("fixture")).unwrap();
    let mut module = wat::parse_str(core).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// Appends a custom section.
pub(super) fn with_section(mut bytes: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    let mut content = leb(name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    bytes.push(0);
    bytes.extend(leb(content.len()));
    bytes.extend(content);
    bytes
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
