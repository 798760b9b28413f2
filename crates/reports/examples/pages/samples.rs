//! What the product prints, in small.
use kernel::money::{Currency, Money};
use reports::{
    Align, Block, Brand, Cell, Chart, ChartKind, Colour, Column, Document, Image, Kind, Language, Page,
    Paper, Run, Series, Sheet, Table, Value, Workbook, markup,
};

pub fn all() -> Vec<(&'static str, Document)> {
    vec![
        ("offer", offer()),
        ("client", client()),
        ("register", register()),
        ("certificate", certificate()),
        ("languages", languages()),
    ]
}

/// A white cross on a round ground.
fn logo() -> Option<Image> {
    let side = 160_u32;
    let mut pixels = Vec::new();
    for y in 0..side {
        for x in 0..side {
            let (dx, dy) = (x as f32 - 79.5, y as f32 - 79.5);
            let inside = (79.0 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
            let (ax, ay) = (dx.abs(), dy.abs());
            let cross = (ax < 14.0 && ay < 46.0) || (ay < 14.0 && ax < 46.0);
            pixels.extend(if cross { [255, 255, 255] } else { [15, 118, 110] });
            pixels.push((inside * 255.0) as u8);
        }
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).ok()?;
    Image::new(png).ok()
}

fn brand() -> Brand {
    Brand {
        name: "Grace & Mercy Hospital".into(),
        logo: logo(),
        address: vec![
            "14 Bode Thomas Street".into(),
            "Surulere, Lagos".into(),
            "+234 1 555 0100".into(),
            "hello@gracemercy.example".into(),
        ],
        accent: Colour(15, 118, 110),
    }
}

fn base(title: &str, language: Language, blocks: Vec<Block>) -> Document {
    Document {
        title: title.into(),
        language,
        brand: brand(),
        footer: Some(
            "Grace & Mercy Hospital Ltd, RC 123456 · Registered at 14 Bode Thomas Street, Lagos".into(),
        ),
        id: Some("doc_01JDR8Z3QF7M2X9K4T5V6W7Y8Z · template offer_letter, version 3".into()),
        blocks,
        ..Document::default()
    }
}

const OFFER: &str = "\
# Offer of employment

29 November 2026

Dear **{name}**,

We are pleased to offer you the position of *Senior Community Nurse* at our Surulere site. This letter sets out the main
terms; the full contract follows. Please read it with care, ask us whatever is unclear, and sign below when you are content.

## What we offer

| Item | Basis | Amount |
| :--- | :--- | ---: |
| Basic salary | a year, paid monthly | ₦4,850,000.00 |
| Housing and transport | a year | ₦1,200,000.00 |
| Night premium | an hour, between 21:00 and 07:00, and on public holidays of the Federation | ₦1,150.00 |
| **Total at full time** | | **₦6,050,000.00** |

## What we ask

1. Your licence of the *Nursing and Midwifery Council of Nigeria*, valid on the first day.
2. Two references, one of them from your present employer:
   - by letter or e-mail,
   - not older than six months.
3. Consent to the checks described in our [policy on vetting](https://gracemercy.example/vetting).

The value that you typed, {odd}, prints as it is.

---

### Acceptance

By signing you accept the offer on these terms.

| [[sign:employee]] | [[sign:hr_manager]] |
| --- | --- |

[[sign:witness]]
";

fn offer() -> Document {
    let text = OFFER
        .replace("{name}", &markup::escape("Adéọlá Ọláwálé-Ńwosu"))
        .replace("{odd}", &markup::escape("**x** | <b>y</b> [[sign:boss]]"));
    base("Offer of employment", Language::EnNg, markup::parse(&text).expect("the sample is in the subset"))
}

fn register() -> Document {
    let language = Language::EnGb;
    let mut table = Table::new(["When", "Who", "What", "About", "Change"]).aligned([
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Right,
    ]);
    for n in 0..120_i64 {
        let why = if n % 17 == 3 {
            " because the date on the licence was misread at reception and had to be put right"
        } else {
            ""
        };
        table.push([
            format!("{:02} Nov 2026, {:02}:{:02}", 1 + n / 6, 8 + n % 10, (n * 7) % 60),
            ["Ngozi Ẹ̀bùn", "Siân Ŵyn-Jones", "Musa Ɗanjuma"][(n % 3) as usize].to_owned(),
            format!("{}{why}", ["patient.updated", "document.verified", "session.opened"][(n % 3) as usize]),
            format!("pat_01JDR8Z3QF7M2X9K4T5V6W7Y{n:02X}"),
            language.integer(n * n * 31),
        ]);
    }
    let mut document = base(
        "Audit export, November 2026",
        language,
        vec![
            Block::heading(1, "Audit export, November 2026"),
            Block::pairs([
                ("Asked for by", "Ngozi Ẹ̀bùn, auditor"),
                ("Range", "1 to 29 November 2026, times in Europe/London"),
                ("Entries", "120 of 120"),
                ("Chain", "unbroken from 4f1c9a0e…77 to a90b31de…02"),
            ]),
            Block::heading(2, "Entries"),
            Block::Table(table),
            Block::heading(2, "How to check this export"),
            Block::bullets(["Compute SHA-256 of the CSV beside it.", "Compare it with the sum named above."]),
        ],
    );
    document.page = Page { landscape: true, ..Page::default() };
    document.header = Some("Confidential · contains personal data".into());
    document
}

pub fn certificate() -> Document {
    let signer = |role: &str, name: &str| {
        vec![
            Block::heading(3, format!("{role}: {name}")),
            Block::pairs([
                ("Identified by", "one-time code to e-mail a•••@example.org"),
                ("Opened", "29 November 2026, 09:12:40 WAT"),
                ("Signed", "29 November 2026, 09:14:03 WAT"),
                ("Address, agent", "102.89.23.14, Firefox 145 on Android"),
                ("Consent", "text version 2 (en-NG): “I agree to sign electronically.”"),
            ]),
        ]
    };
    let mut blocks = vec![
        Block::heading(1, "Certificate of signatures"),
        Block::paragraph(
            "This page belongs to the document named here and says who signed it, when and how.",
        ),
        Block::pairs([
            ("Document", "Offer of employment"),
            ("Request", "sig_01JDR8Z3QF7M2X9K4T5V6W7Y8Z"),
            ("SHA-256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ]),
    ];
    blocks.extend(signer("Employee", "Adéọlá Ọláwálé-Ńwosu"));
    blocks.extend(signer("HR manager", "Chukwuemeka Ọ́bị"));
    blocks.push(Block::Rule);
    blocks.push(Block::Paragraph {
        align: Align::Centre,
        runs: vec![
            Run::italic("Check it at "),
            Run { italic: true, ..Run::link("lumina.example/verify", "https://lumina.example/verify") },
            Run { bold: true, ..Run::italic(" with the sum above.") },
        ],
    });
    let mut document = base("Certificate of signatures", Language::EnNg, blocks);
    document.page.paper = Paper::Letter;
    document
}

fn languages() -> Document {
    let mut blocks = vec![Block::heading(1, "Èdè, harsuna, asụsụ, ieithoedd")];
    for (name, text) in [
        (
            "Yorùbá",
            "Ẹ kú àárọ̀. Ọjọ́ ìbí ọmọ náà ni ọjọ́ kejì oṣù Ṣẹ́rẹ́. Ẹ̀yin ọ̀rẹ́ mi, ẹ ṣé púpọ̀; ìlera lọrọ̀. Ḿ̀ ń lọ sí ilé ìwòsàn. é̩ ò̩ s̩",
        ),
        (
            "Igbo",
            "Ụbọchị ọmụmụ nwa ahụ bụ ọnwa Ọktoba. Ị̀hụ́nanya, ọ́gwụ̀, ṅụọ mmiri. Ḿbà. Nnọọ, kedụ ka ị mere?",
        ),
        (
            "Hausa",
            "Ɓangaren ƙwaƙwalwa, ɗakin shan magani, ’yan’uwa, ƴaƴa. Ina kwana? Na gode ƙwarai da gaske, Ƙasar Ɗanja, Ɓauna.",
        ),
        (
            "Cymraeg",
            "Mae’r tŷ gŵyl yn ŵyn a’r ysbyty’n fawr. Ŵyr y môr, llŷr, ẅ, ẁ, ẃ, ŷ, ỳ; iechyd da, Siân.",
        ),
        ("Français", "L’œuvre naïve où Noël coûte 1 250,00 € – « ça va ? » Ça, c’est l’été à Besançon."),
        ("Others", "Łódź, Žižka, Győr, İstanbul, Nguyễn Thị Ánh, Ελένη, Олена, Straße, Þór, Ðe."),
        (
            "Signs",
            "₦ £ € $ ¢ ¥ ₵ ₹ · → ← ↑ ↓ ☐ ☑ ☒ ✓ ✗ • – — ≤ ≥ ≠ ± × ÷ µ ° ½ ¼ ‰ № ™ © ® § ¶ † ★ ⚠; unknown: 漢字 😀 ع",
        ),
        (
            "Long",
            "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch-Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        ),
    ] {
        blocks.push(Block::heading(3, name));
        blocks.push(Block::paragraph(text));
        let styled = vec![
            Run::bold(format!("{text} ")),
            Run::italic(format!("{text} ")),
            Run { bold: true, ..Run::italic(text) },
        ];
        blocks.push(Block::Paragraph { align: Align::Left, runs: styled });
    }
    let mut table =
        Table::new([Cell::from("Language"), "Date".into(), "Money".into(), "Share".into(), "Page".into()])
            .aligned([Align::Left, Align::Left, Align::Right, Align::Right]);
    let money = Money::minor(-123_456_789, Currency::NGN);
    for language in Language::ALL {
        table.push([
            language.name().to_owned(),
            language.date(jiff::civil::date(2026, 3, 9)),
            language.money(money),
            language.percent("12.5"),
            language.page(2, 7),
        ]);
    }
    blocks.push(Block::Table(table));
    base("Languages", Language::Yo, blocks)
}

fn client() -> Document {
    let months = ["Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd"];
    let series = |name: &str, values: [Option<f64>; 6]| Series { name: name.into(), values: values.into() };
    let chart = |kind, title: &str, series| {
        Block::Chart(Chart { kind, title: title.into(), labels: months.map(String::from).into(), series })
    };
    let seen = [Some(112.0), Some(97.0), None, Some(131.0), Some(148.0), Some(140.0)];
    let missed = [Some(12.0), Some(9.0), None, Some(17.0), Some(11.0), Some(6.0)];
    let money = |minor| Language::Cy.money(Money::minor(minor, Currency::GBP));
    let blocks = vec![
        Block::heading(1, "Adroddiad chwarterol"),
        Block::paragraph("Cyngor Sir Ŵyrfa: y gwasanaeth cymorth i weithwyr, Medi i Dachwedd 2026."),
        Block::Image { image: logo().expect("the sample is a PNG"), width: 12.0, alt: "Logo".into() },
        chart(
            ChartKind::Bars,
            "Apwyntiadau y mis",
            vec![series("Mynychwyd", seen), series("Collwyd", missed)],
        ),
        chart(
            ChartKind::Lines,
            "Boddhad, o 10",
            vec![series("Boddhad", missed.map(|v| v.map(|v| v / 2.0 - 1.0)))],
        ),
        Block::heading(2, "Costau"),
        Block::Table(
            Table::new(["Gwasanaeth", "Nifer", "Swm"])
                .aligned([Align::Left, Align::Right, Align::Right])
                .row(["Sesiynau cwnsela".to_owned(), Language::Cy.integer(1_419), money(9_933_000)])
                .row(["Galwadau brys".to_owned(), Language::Cy.integer(38), money(152_000)]),
        ),
    ];
    base("Adroddiad chwarterol", Language::Cy, blocks)
}

pub fn staff() -> Workbook {
    let day = |day| jiff::civil::date(2026, 11, day);
    let row = |name: &str, n: i64, minor, currency| {
        vec![
            name.into(),
            n.into(),
            Money::minor(minor, currency).into(),
            day(n as i8).into(),
            day(n as i8).at(9, 30, 0, 0).into(),
            Value::Percent(0.125),
            Value::Decimal(37.5),
            (n % 2 == 0).into(),
        ]
    };
    let columns = vec![
        Column::text("Name"),
        Column::new("Number", Kind::Integer),
        Column::new("Salary", Kind::Money),
        Column::new("Started", Kind::Date),
        Column::new("Last seen (Africa/Lagos)", Kind::DateTime),
        Column::new("Share", Kind::Percent),
        Column::new("Hours", Kind::Decimal),
        Column::new("Active", Kind::YesNo),
    ];
    let rows = vec![
        row("Adéọlá Ọláwálé-Ńwosu", 1, 485_000_000, Currency::NGN),
        row("=HYPERLINK(\"https://evil.example\",\"click\")", 2, -3_250_050, Currency::GBP),
        row("Siân Ŵyn-Jones", 3, 0, Currency::GBP),
    ];
    Workbook {
        title: "Staff".into(),
        author: brand().name,
        accent: brand().accent,
        sheets: vec![Sheet { name: "Staff: Lagos/Surulere".into(), columns, rows }],
        ..Workbook::default()
    }
}
