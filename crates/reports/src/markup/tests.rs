use super::*;

fn texts(blocks: &[Block]) -> String {
    format!("{blocks:?}")
}

#[test]
fn a_template_becomes_blocks() {
    let blocks = parse(
        "# Offer\n\nDear **Ada**, *welcome*\\\nto [us](https://example.org).\n\n- one\n  1. deep\n- two\n\n\
         | Item | Sum |\n|:--|--:|\n| Salary | £1 |\n| [[sign:ward_manager]] | x |\n\n---\n\n[[page]]\n\n\
         [[sign:employee]]\n[[sign:employer]]\n",
    )
    .unwrap();
    let kinds: Vec<_> = blocks
        .iter()
        .map(|block| match block {
            Block::Heading { level, .. } => format!("h{level}"),
            Block::Paragraph { runs, .. } => format!("p{}", runs.len()),
            Block::List { start, items } => format!("l{start:?}{}", items.len()),
            Block::Table(table) => format!("t{}x{}", table.rows.len(), table.columns()),
            Block::Rule => "rule".into(),
            Block::PageBreak => "page".into(),
            Block::Sign { role } => role.clone(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["h1", "p7", "lNone2", "t2x2", "rule", "page", "employee", "employer"]);
    let Block::Table(table) = &blocks[3] else { panic!() };
    assert_eq!(table.align, [Align::Left, Align::Right]);
    assert_eq!(table.rows[1][0], Cell::Sign("ward_manager".into()));
    let Block::Paragraph { runs, .. } = &blocks[1] else { panic!() };
    assert_eq!(runs[4].text, "\nto ");
    assert_eq!(runs[5], Run::link("us", "https://example.org"));
    let Block::List { items, .. } = &blocks[2] else { panic!() };
    assert!(matches!(items[0][1], Block::List { start: Some(1), .. }));
}

#[test]
fn what_is_not_in_the_subset_is_refused_with_its_line() {
    for (text, code, line) in [
        ("a\n\n<b>x</b>", "html", 3),
        ("<div>\nx\n</div>", "html", 1),
        ("a\n\nb `c`", "code", 3),
        ("x\n\n    indented", "code", 3),
        ("> said", "quote", 1),
        ("\n![x](https://example.org/a.png)", "image", 2),
        ("[x](javascript:alert)", "link", 1),
        ("[x](/etc)", "link", 1),
        ("\n\n[[sing:x]]", "mark-unknown", 3),
        ("[[sign:No Such]]", "mark-unknown", 1),
        ("[[sign:", "mark-unknown", 1),
        ("by [[sign:x]] here", "mark-in-text", 1),
        ("# [[page]]", "mark-in-text", 1),
        ("- a\n\n  [[page]]", "mark-in-text", 3),
        ("\u{e000}page\u{e001}", "private-character", 1),
    ] {
        let faults = parse(text).expect_err(text);
        assert_eq!((faults[0].code, faults[0].line), (code, line), "{text}: {faults:?}");
        assert!(faults[0].at("/body").detail.contains(&format!("line {line}")));
    }
    let all = parse("<b>\n\n`x`\n\n[[y]]").unwrap_err();
    assert_eq!(all.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 3, 5]);
}

/// Every place that a template can put a value into.
const PLACES: [&str; 10] = [
    "{}",
    "# {}",
    "- {}",
    "1. {}",
    "before {} after",
    "before**{}**after",
    "*{}* and **{}**",
    "| a | b |\n|---|---|\n| {} | {} |",
    "[{}](https://example.org)",
    "para\n{}\nmore",
];

#[test]
fn a_value_prints_as_it_is_and_never_becomes_markup() {
    let values = [
        "**x**",
        "_x_",
        "<script>alert(1)</script>",
        "a | b \\| c \\",
        "# no",
        "- no",
        "1. no",
        "1) no",
        "---",
        "===",
        "***",
        "[[sign:boss]]",
        "[[page]]",
        "[a](javascript:x)",
        "![a](b)",
        "`code`",
        "&amp; &#42;",
        "  padded  ",
        "    deep",
        "",
        "> q",
        "~~~",
        "\\",
        "\\\\",
        "|",
        "(a)",
        "ẹ\u{301}kọ",
        "a\nb",
        "\n# x\n\n- y",
        "\u{e000}sign:x\u{e001}",
        "<!-- c -->",
        "http://a.b",
        "<a@b.c>",
        "|---|",
        "\t\tx",
        "+ x",
        "* x",
        "!",
        "[",
        "]",
        "_",
        "*",
    ];
    for place in PLACES {
        let shape = |value: &str| {
            let blocks = parse(&place.replace("{}", &escape(value)))
                .unwrap_or_else(|e| panic!("{value:?} in {place:?}: {e:?}"));
            let printed = value.replace(['\u{e000}', '\u{e001}'], "").replace('\t', " ");
            (texts(&blocks), printed)
        };
        // The value "x" shows how the blocks should be; any other value may change no more than the text.
        let (model, _) = shape("@@");
        for value in values {
            let (blocks, printed) = shape(value);
            let quoted = format!("{printed:?}");
            assert_eq!(blocks, model.replace("@@", &quoted[1..quoted.len() - 1]), "{value:?} in {place:?}");
        }
    }
}

#[test]
fn hostile_texts_end() {
    let deep = (0..200).map(|n| format!("{}- x\n", "  ".repeat(n))).collect::<String>();
    assert!(parse(&deep).unwrap_err().iter().any(|fault| fault.code == "nested-too-deep"));
    for text in [
        "*".repeat(100_000),
        "[".repeat(100_000),
        "- ".repeat(50_000),
        "|".repeat(100_000),
        "![".repeat(50_000),
        "*a_".repeat(30_000),
    ] {
        let _ = parse(&text);
    }
    assert_eq!(parse(&"x".repeat(5 << 20)).unwrap_err()[0].code, "text-too-long");
}
