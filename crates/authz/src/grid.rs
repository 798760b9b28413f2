//! The matrix as text: one line per permission, one column per role, a letter for the reach. A test
//! compares it with `tests/golden/matrix.txt`, so that a change of anybody's rights is a visible diff.
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::{
    decide::{Holder, decide},
    role::ROLES,
    rule::rules,
};

/// The whole matrix, as `decide` answers it for somebody who holds the column's role alone.
pub fn print() -> String {
    let mut text =
        "Reach: A all, S site, T team, G assigned, L linked, O own, - none; * restricted (listed below)\n\n"
            .to_owned();
    for (at, role) in ROLES.iter().enumerate() {
        let _ = writeln!(text, "{}{}", "| ".repeat(at), role.slug);
    }
    let (mut restricted, mut ceilings, mut signed, mut lent) =
        (String::new(), String::new(), String::new(), String::new());
    for rule in rules() {
        let mut line = String::new();
        for role in ROLES {
            let scopes = [rule.permission.to_owned()];
            let roles = [role.slug.to_owned()];
            let holder = Holder { roles: &roles, scopes: &scopes, ..Holder::default() };
            let reach = decide(&holder, rule.permission, Timestamp::UNIX_EPOCH).reach;
            let only = rule.grant(role.slug).and_then(|grant| grant.only);
            line.push(reach.letter());
            if let Some(only) = only {
                let _ = writeln!(restricted, "{} {} {only}", rule.permission, role.slug);
            }
            line.push(if only.is_some() { '*' } else { ' ' });
            if rule.ceiling(role.slug) != reach {
                let _ = writeln!(ceilings, "{} {} {}", rule.permission, role.slug, rule.ceiling(role.slug));
            }
        }
        let _ = writeln!(text, "{line} {} [{}]", rule.permission, rule.module);
        if rule.signed {
            let _ = writeln!(signed, "{}", rule.permission);
        }
        if let Some(scope) = rule.context {
            let _ = writeln!(lent, "{} {scope}", rule.permission);
        }
    }
    let parts = [
        ("Restricted to", restricted),
        ("Ceilings above the grant", ceilings),
        ("Signed", signed),
        ("Lent to an operator's context", lent),
    ];
    for (title, part) in parts {
        let _ = write!(text, "\n{title}\n{part}");
    }
    text
}
