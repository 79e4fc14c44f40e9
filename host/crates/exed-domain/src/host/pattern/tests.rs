use proptest::prelude::*;

use super::{Pattern, resolve};
use crate::host::{Group, Host, Inventory};
use crate::ids::HostName;

/// `web` has `front` (web1, web2) below it and web3 itself; `db` has db1 and db-eu; `eu` has web2 and db-eu.
fn fleet() -> Inventory {
    inventory(
        &["web1", "web2", "web3", "db1", "db-eu", "a.example.com", "2001:db8::1", "odd[1]", "all-in-one"],
        &[
            ("all", &["ungrouped", "web", "db", "eu"], &[]),
            ("ungrouped", &[], &["a.example.com", "2001:db8::1", "odd[1]", "all-in-one"]),
            ("web", &["front"], &["web3"]),
            ("front", &[], &["web1", "web2"]),
            ("db", &[], &["db1", "db-eu"]),
            ("eu", &[], &["web2", "db-eu"]),
        ],
    )
}

fn inventory(hosts: &[&str], groups: &[(&str, &[&str], &[&str])]) -> Inventory {
    let host = |name: &&str| {
        let name = HostName::from(*name);
        let host = Host {
            name: name.clone(),
            groups: Vec::new(),
            vars: serde_json::Map::new(),
            labels: indexmap::IndexMap::new(),
        };
        (name, host)
    };
    let group = |(name, children, hosts): &(&str, &[&str], &[&str])| {
        let group = Group {
            children: children.iter().map(|child| (*child).to_owned()).collect(),
            hosts: hosts.iter().map(|host| HostName::from(*host)).collect(),
            vars: serde_json::Map::new(),
        };
        ((*name).to_owned(), group)
    };
    Inventory { hosts: hosts.iter().map(host).collect(), groups: groups.iter().map(group).collect() }
}

fn select(patterns: &[&str]) -> String {
    let parsed: Vec<Pattern> = patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
    names(&resolve(&parsed, &fleet()))
}

fn names(hosts: &[HostName]) -> String {
    hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn everything() {
    let all = "web1 web2 web3 db1 db-eu a.example.com 2001:db8::1 odd[1] all-in-one";
    assert_eq!(select(&["all"]), all);
    assert_eq!(select(&["*"]), all);
    assert_eq!(select(&[]), "");
}

#[test]
fn hosts_groups_and_globs() {
    assert_eq!(select(&["db1"]), "db1");
    assert_eq!(select(&["web"]), "web1 web2 web3");
    assert_eq!(select(&["web?"]), "web1 web2 web3");
    assert_eq!(select(&["web[13]"]), "", "web is a group, and has no fourteenth host");
    assert_eq!(select(&["db[!-]"]), "db1");
    assert_eq!(select(&["*.example.com"]), "a.example.com");
    assert_eq!(select(&["WEB1"]), "");
    assert_eq!(select(&["fro*"]), "web1 web2", "globs select groups as well");
    assert_eq!(select(&["nothing"]), "");
}

#[test]
fn a_bracket_is_a_glob_where_its_base_names_nothing() {
    assert_eq!(select(&["we[b]1"]), "web1");
    let numbered = inventory(&["n1", "n2", "n3"], &[]);
    assert_eq!(names(&resolve(&[Pattern::parse("n[12]").unwrap()], &numbered)), "n1 n2");
    assert_eq!(names(&resolve(&[Pattern::parse("n[1-3]").unwrap()], &numbered)), "n1 n2 n3");
    assert_eq!(names(&resolve(&[Pattern::parse("n[1,3]").unwrap()], &numbered)), "n1 n3");
}

#[test]
fn globs_never_select_the_built_in_groups() {
    assert_eq!(select(&["al*"]), "all-in-one");
    assert_eq!(select(&["~un.*"]), "");
    assert_eq!(select(&["ungrouped"]), "a.example.com 2001:db8::1 odd[1] all-in-one");
}

#[test]
fn unions_intersections_and_exclusions_whatever_their_order() {
    assert_eq!(select(&["web:db"]), "web1 web2 web3 db1 db-eu");
    assert_eq!(select(&["db,web1"]), "web1 db1 db-eu", "the inventory's order, not the pattern's");
    assert_eq!(select(&["web:&eu"]), "web2");
    assert_eq!(select(&["web:!eu"]), "web1 web3");
    assert_eq!(select(&["!web2:web:db:&eu"]), "db-eu");
    assert_eq!(select(&["!web,!ungrouped"]), "db1 db-eu");
    assert_eq!(select(&["&eu"]), "web2 db-eu");
    assert_eq!(select(&["web", "!web1"]), "web2 web3");
    assert_eq!(select(&[" web , ! web1 "]), "web2 web3");
}

#[test]
fn regular_expressions() {
    assert_eq!(select(&["~web\\d"]), "web1 web2 web3");
    assert_eq!(select(&["~eb"]), "", "a match begins at the start");
    assert_eq!(select(&["~(web|db)[12]"]), "web1 web2 db1");
    assert_eq!(select(&["~(?:web|db){1,2}1,web3"]), "web1 web3 db1");
    assert_eq!(select(&["~web[12]:!~.*1"]), "web2");
}

#[test]
fn positions_count_in_the_group() {
    assert_eq!(select(&["web[0]"]), "web3", "a group's own hosts come before those of its children");
    assert_eq!(select(&["web[-1]"]), "web2");
    assert_eq!(select(&["web[0:1]"]), "web1 web3");
    assert_eq!(select(&["web[1:]"]), "web1 web2");
    assert_eq!(select(&["web[:1]"]), "web1 web3");
    assert_eq!(select(&["web[-2:]"]), "web1 web2");
    assert_eq!(select(&["web[9]"]), "");
    assert_eq!(select(&["web[99999999999999999999]"]), "");
    assert_eq!(select(&["all[0]:db[1]"]), "web1 db-eu");
    assert_eq!(select(&["web*[0]"]), "web3");
}

#[test]
fn addresses_and_brackets_in_names() {
    assert_eq!(select(&["2001:db8::1"]), "2001:db8::1");
    assert_eq!(select(&["!2001:db8::1,ungrouped"]), "a.example.com odd[1] all-in-one");
    assert_eq!(select(&["2001:db8::1,db1"]), "db1 2001:db8::1");
    assert_eq!(select(&["odd[1]"]), "odd[1]");
    assert_eq!(select(&["odd[*"]), "odd[1]");
    assert_eq!(select(&["web1:2222"]), "", "a name with a port is not two names");
}

#[test]
fn what_is_refused_says_why() {
    let problem = |text: &str| Pattern::parse(text).unwrap_err().to_string();
    assert_eq!(
        problem(" , "),
        "target pattern ` , `: it is empty; write a host, a group, a glob like `web*`, or `all`"
    );
    assert!(problem("web:!").contains("nothing follows it"));
    assert!(problem("~").contains("must follow `~`"));
    assert!(problem("~(a").contains("unclosed group"), "{}", problem("~(a"));
    assert!(problem("~(?=a)").contains("look-around"));
    assert!(problem("~(\\w{500}){500}").contains("make it simpler"));
    assert!(problem(&"*,".repeat(100).replace('*', "a*")).contains("at most 64"));
    assert!(problem(&"*?".repeat(600)).contains("1024 bytes"));
    assert!(problem(&"a".repeat(1 << 21)).contains("bytes long"));
    assert_eq!(Pattern::parse("~(").unwrap_err().in_field("target").field, "target");
}

#[test]
fn hostile_patterns_are_bounded() {
    let names = vec!["a".repeat(250); 1];
    let long = inventory(&[names[0].as_str()], &[]);
    for text in ["*a".repeat(400) + "b", "[".repeat(1000), "~(a*)*(a*)*(a*)*b".to_owned(), "[!".repeat(500)] {
        let pattern = Pattern::parse(&text).unwrap();
        assert!(resolve(&[pattern], &long).is_empty());
    }
    let brackets = "[".repeat(1 << 19) + "]";
    assert!(Pattern::parse(&brackets).unwrap_err().problem.contains("1024"));
}

#[test]
fn groups_that_contain_each_other_end() {
    let looped = inventory(&["h"], &[("a", &["b"], &["h"]), ("b", &["a", "gone"], &["lost"])]);
    assert_eq!(names(&resolve(&[Pattern::parse("b").unwrap()], &looped)), "h");
}

/// What a glob means, said in the most direct way.
fn naive_glob(glob: &[char], name: &[char]) -> bool {
    match glob.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| naive_glob(rest, &name[skip..])),
        Some(('?', rest)) => !name.is_empty() && naive_glob(rest, &name[1..]),
        Some((c, rest)) => name.first() == Some(c) && naive_glob(rest, &name[1..]),
    }
}

proptest! {
    #[test]
    fn globs_agree_with_the_naive_reading(glob in "[ab*?]{1,8}", name in "[ab]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            super::Glob::new(&glob).matches(&name),
            naive_glob(&chars(&glob), &chars(&name))
        );
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "\\PC{0,40}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert!(resolve(&[pattern], &fleet()).len() <= fleet().hosts.len());
        }
    }

    #[test]
    fn pattern_like_text_parses_or_is_refused(text in "[web1:,!&~*?\\[\\]\\-() ]{0,24}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            let hosts = resolve(&[pattern], &fleet());
            let order: Vec<_> = hosts.iter().map(|host| fleet().hosts.get_index_of(host).unwrap()).collect();
            prop_assert!(order.is_sorted(), "in the order of the inventory");
        }
    }

    #[test]
    fn sets_agree_with_set_algebra(
        parts in prop::collection::vec((0..3_usize, prop::sample::select(vec!["web", "db", "eu", "front", "web1", "db1", "ungrouped", "gone"])), 1..6),
        comma in any::<bool>(),
    ) {
        let text: Vec<String> =
            parts.iter().map(|(role, name)| format!("{}{name}", ["", "&", "!"][*role])).collect();
        let inventory = fleet();
        let of = |name: &str| resolve(&[Pattern::parse(name).unwrap()], &inventory);
        let has = |role: usize, host: &HostName| {
            parts.iter().filter(|(own, _)| *own == role).map(|(_, name)| of(name).contains(host)).collect::<Vec<_>>()
        };
        let expected: Vec<HostName> = inventory
            .hosts
            .keys()
            .filter(|host| {
                let added = has(0, host);
                (added.is_empty() || added.contains(&true))
                    && !has(1, host).contains(&false)
                    && !has(2, host).contains(&true)
            })
            .cloned()
            .collect();
        let pattern = Pattern::parse(&text.join(if comma { "," } else { ":" })).unwrap();
        prop_assert_eq!(resolve(&[pattern], &inventory), expected);
    }
}
