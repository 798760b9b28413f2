//! What a text may be: short, flat and of known names. The parser recurses, so depth is bounded before it sees the
//! text and it runs on a stack of its own; loops multiply, so one may run over what another gives, never lie in
//! its body.

use crate::{Fault, Known, parts};
use cel::{
    Program,
    common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue},
};
use std::{collections::BTreeSet, sync::LazyLock, thread};

/// Bytes of a text.
pub const BYTES: usize = 2_000;
/// Brackets within brackets.
pub const DEPTH: usize = 20;
/// Nodes of the parsed text, loops counted as what they are made of.
pub const NODES: usize = 200;
/// Loops within loops.
pub const LOOPS: usize = 1;
/// Prefix operators and `?:` in a row: each is a step of recursion, without a bracket.
const CHAIN: usize = 100;
/// Characters of a regular expression.
const PATTERN: usize = 200;
const STACK: usize = 8 * 1024 * 1024;

static ENV: LazyLock<cel::Env> = LazyLock::new(crate::functions::environment);

pub(crate) fn parse(text: &str, known: &Known) -> Result<Program, Fault> {
    before(text)?;
    let (text, known) = (text.to_string(), known.clone());
    let parsing = thread::Builder::new().stack_size(STACK).spawn(move || parsed(&text, &known));
    let parsing = parsing.map_err(|e| Fault::new(0, format!("no thread to parse it: {e}")))?;
    parsing.join().unwrap_or_else(|_| Err(Fault::new(0, "the text cannot be read")))
}

fn before(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(0, "the text is empty"));
    }
    if text.len() > BYTES {
        return Err(Fault::new(0, format!("at most {BYTES} bytes; this has {}", text.len())));
    }
    let shape = parts::shape(text);
    if let Some(column) = shape.too_deep {
        return Err(Fault::new(column, format!("at most {DEPTH} brackets within one another")));
    }
    if shape.chain > CHAIN {
        return Err(Fault::new(0, format!("at most {CHAIN} operators of one kind in a row")));
    }
    Ok(())
}

fn parsed(text: &str, known: &Known) -> Result<Program, Fault> {
    let program = ENV.compile(text).map_err(|errors| {
        let first = errors.errors.into_iter().min_by_key(|e| e.pos);
        first.map_or_else(
            || Fault::new(0, "the text cannot be read"),
            |e| Fault::new(column(text, e.pos), e.msg),
        )
    })?;
    let mut walk = Walk { text, known, program: &program, nodes: 0, bound: vec![] };
    walk.visit(program.expression(), 0)?;
    Ok(program)
}

/// From line and column, as the parser counts, to characters from the text's beginning.
fn column(text: &str, (line, column): (isize, isize)) -> usize {
    let lines = usize::try_from(line.max(1) - 1).unwrap_or_default();
    let before: usize = text.split_inclusive('\n').take(lines).map(|l| l.chars().count()).sum();
    let at = before + usize::try_from(column.max(1)).unwrap_or(1);
    at.min(text.chars().count())
}

struct Walk<'a> {
    text: &'a str,
    known: &'a Known,
    program: &'a Program,
    nodes: usize,
    bound: Vec<String>,
}

impl Walk<'_> {
    fn fault(&self, node: &IdedExpr, detail: String) -> Fault {
        let offset =
            self.program.source_info().offset_for(node.id).map_or(0, |(start, _)| start as usize + 1);
        Fault::new(offset.min(self.text.chars().count()), detail)
    }

    fn visit(&mut self, node: &IdedExpr, loops: usize) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > NODES {
            return Err(Fault::new(0, format!("too much for one condition: at most {NODES} parts")));
        }
        match &node.expr {
            Expr::Ident(name) => {
                let own = name.starts_with('@') || self.bound.contains(name) || self.known.has_variable(name);
                if !own {
                    let nearest = self.known.nearest_variable(name);
                    return Err(self.fault(node, format!("{name} is not known{nearest}")));
                }
            }
            Expr::Call(call) => {
                let name = &call.func_name;
                let operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
                if !operator && !self.known.has_function(name) {
                    let nearest = self.known.nearest_function(name);
                    return Err(self.fault(node, format!("the function {name} is not known{nearest}")));
                }
                if name == "matches" {
                    self.pattern(node, call.args.last())?;
                }
                for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                    self.visit(part, loops)?;
                }
            }
            Expr::Comprehension(c) => {
                if loops >= LOOPS {
                    return Err(self.fault(node, "a loop may not lie in another loop".into()));
                }
                self.visit(&c.iter_range, loops)?;
                let names = [Some(c.iter_var.clone()), c.iter_var2.clone(), Some(c.accu_var.clone())];
                let known = self.bound.len();
                self.bound.extend(names.into_iter().flatten());
                for part in [&c.accu_init, &c.loop_cond, &c.loop_step, &c.result] {
                    self.visit(part, loops + 1)?;
                }
                self.bound.truncate(known);
            }
            Expr::List(list) => list.elements.iter().try_for_each(|e| self.visit(e, loops))?,
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.visit(&entry.key, loops)?;
                        self.visit(&entry.value, loops)?;
                    }
                }
            }
            Expr::Select(select) => self.visit(&select.operand, loops)?,
            Expr::Struct(_) | Expr::Unspecified => {
                return Err(self.fault(node, "messages cannot be made here".into()));
            }
            Expr::Literal(_) => {}
        }
        Ok(())
    }

    /// A pattern is written out, short and readable: what the input holds is never one.
    fn pattern(&self, node: &IdedExpr, given: Option<&IdedExpr>) -> Result<(), Fault> {
        let Some(Expr::Literal(LiteralValue::String(text))) = given.map(|g| &g.expr) else {
            return Err(self.fault(node, "matches takes a pattern written out in quotes".into()));
        };
        let text = text.inner();
        if text.chars().count() > PATTERN {
            return Err(self.fault(node, format!("a pattern holds at most {PATTERN} characters")));
        }
        match regex_lite::Regex::new(text) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.fault(node, format!("no pattern: {e}"))),
        }
    }
}

/// Every dotted path of a variable.
pub(crate) fn paths(expression: &IdedExpr) -> Vec<String> {
    let mut out = BTreeSet::new();
    collect(expression, &mut out);
    out.into_iter().collect()
}

fn path(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Ident(name) if !name.starts_with('@') => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        _ => None,
    }
}

fn collect(node: &IdedExpr, out: &mut BTreeSet<String>) {
    if let Some(path) = path(node) {
        out.insert(path);
        return;
    }
    match &node.expr {
        Expr::Call(call) => {
            call.target.iter().map(AsRef::as_ref).chain(&call.args).for_each(|p| collect(p, out));
        }
        Expr::Comprehension(c) => {
            [&c.iter_range, &c.accu_init, &c.loop_cond, &c.loop_step, &c.result]
                .into_iter()
                .for_each(|p| collect(p, out));
        }
        Expr::List(list) => list.elements.iter().for_each(|e| collect(e, out)),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    collect(&entry.key, out);
                    collect(&entry.value, out);
                }
            }
        }
        Expr::Select(select) => collect(&select.operand, out),
        _ => {}
    }
}
