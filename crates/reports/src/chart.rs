//! Bars and lines: enough for a trend on a page, drawn without a picture.
use crate::{
    Align, Cell, Colour, Language, Table,
    flow::Flow,
    font::{BOLD, REGULAR, width},
    shape::{GREY, HAIR, INK, Role, Shape, Slab, words},
};

/// Every series has one value a label; what is missing is a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub kind: ChartKind,
    /// What it shows.
    pub title: String,
    pub labels: Vec<String>,
    pub series: Vec<Series>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartKind {
    Bars,
    Lines,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub values: Vec<Option<f64>>,
}

const HEIGHT: f32 = 170.0;
const SIZE: f32 = 7.5;

/// Told apart also in grey.
const COLOURS: [Colour; 5] = [
    Colour(0xd9, 0x8b, 0x2b),
    Colour(0x4f, 0x6d, 0xb3),
    Colour(0x8f, 0x3f, 0x71),
    Colour(0x7a, 0x9e, 0x3a),
    GREY,
];

impl Chart {
    /// The numbers that it is drawn from.
    pub(crate) fn table(&self, language: Language) -> Table {
        let header = std::iter::once("").chain(self.series.iter().map(|series| series.name.as_str()));
        let mut table = Table::new(header.map(Cell::from));
        table.align = std::iter::once(Align::Left).chain(self.series.iter().map(|_| Align::Right)).collect();
        for (n, label) in self.labels.iter().enumerate() {
            let values = self
                .series
                .iter()
                .map(|series| series.value(n).map_or("–".into(), |v| written(language, v)));
            table.push(std::iter::once(label.clone()).chain(values));
        }
        table
    }

    /// Title and numbers, for those who cannot see it.
    fn told(&self, language: Language) -> String {
        let each = self.series.iter().map(|series| {
            let values =
                self.labels.iter().enumerate().filter_map(|(n, label)| {
                    Some(format!("{label} {}", written(language, series.value(n)?)))
                });
            format!("{}: {}", series.name, values.take(100).collect::<Vec<_>>().join(", "))
        });
        format!("{}. {}", self.title, each.take(20).collect::<Vec<_>>().join("; "))
    }

    /// The steps of the scale: from zero, or below when there is something below.
    fn scale(&self) -> (f64, f64, f64) {
        let values =
            || self.series.iter().flat_map(|series| (0..self.labels.len()).filter_map(|n| series.value(n)));
        let (low, high) = values().fold((0.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let span = if high - low > 0.0 { high - low } else { 1.0 };
        let power = 10_f64.powf((span / 4.0).log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| span / step <= 5.0);
        let step = step.unwrap_or(power * 10.0);
        let (bottom, top) = ((low / step).floor() * step, (high / step).ceil() * step);
        (bottom, if top > bottom { top } else { bottom + step }, step)
    }
}

impl Series {
    /// Beyond 10¹⁵ a chart says nothing.
    fn value(&self, n: usize) -> Option<f64> {
        self.values.get(n).copied().flatten().filter(|v| v.is_finite() && v.abs() <= 1e15)
    }
}

/// At most two decimal places, none that are zero.
fn written(language: Language, v: f64) -> String {
    let plain = format!("{v:.2}");
    language.decimal(plain.trim_end_matches('0').trim_end_matches('.'))
}

impl Flow {
    pub fn chart(&mut self, chart: &Chart) {
        let element = self.element(Role::Figure);
        self.elements[element].alt = Some(chart.told(self.language));
        let mut slab = Slab { before: 10.0, height: HEIGHT + 34.0, ..Slab::default() };
        let mut shapes = vec![words(&chart.title, self.x, 10.0, 10.0, BOLD, INK)];
        let legend = self.legend(chart, &mut shapes);
        slab.height += legend;
        let (bottom, top, step) = chart.scale();
        let steps = ((top - bottom) / step).round().clamp(1.0, 12.0) as usize;
        let marks: Vec<_> = (0..=steps).map(|n| bottom + step * n as f64).collect();
        let gutter =
            marks.iter().map(|v| width(&written(self.language, *v), REGULAR, SIZE)).fold(0.0, f32::max) + 6.0;
        let (left, right) = (self.x + gutter, self.x + self.width);
        let (high, low) = (18.0 + legend, 18.0 + legend + HEIGHT);
        let y = |v: f64| low - ((v - bottom) / (top - bottom)) as f32 * (low - high);
        for mark in marks {
            let (at, text) = (y(mark), written(self.language, mark));
            let colour = if mark.abs() < step / 1e6 { GREY } else { HAIR };
            shapes.push(Shape::Path { points: vec![(left, at), (right, at)], width: 0.5, colour });
            let x = left - 4.0 - width(&text, REGULAR, SIZE);
            shapes.push(words(&text, x, at + 2.6, SIZE, REGULAR, GREY));
        }
        let slot = (right - left) / chart.labels.len().max(1) as f32;
        self.labels(chart, &mut shapes, left, slot, low + 10.0);
        for (n, series) in chart.series.iter().enumerate() {
            let colour = self.colour(n);
            match chart.kind {
                ChartKind::Bars => {
                    let wide = slot * 0.7 / chart.series.len() as f32;
                    for (at, v) in (0..chart.labels.len()).filter_map(|at| Some((at, series.value(at)?))) {
                        let x = left + slot * (at as f32 + 0.15) + wide * n as f32;
                        let (a, b) = (y(v), y(0.0));
                        let (y, height) = (a.min(b), (a - b).abs());
                        shapes.push(Shape::Box { x, y, width: wide * 0.92, height, colour });
                    }
                }
                ChartKind::Lines => {
                    let values: Vec<_> = (0..chart.labels.len()).map(|at| series.value(at)).collect();
                    let place = |at: usize, v: f64| (left + slot * (at as f32 + 0.5), y(v));
                    let points: Vec<Option<_>> =
                        values.iter().enumerate().map(|(at, v)| v.map(|v| place(at, v))).collect();
                    for part in points.split(Option::is_none).filter(|part| !part.is_empty()) {
                        let points: Vec<_> = part.iter().copied().flatten().collect();
                        for (x, y) in &points {
                            shapes.push(Shape::Box {
                                x: x - 1.8,
                                y: y - 1.8,
                                width: 3.6,
                                height: 3.6,
                                colour,
                            });
                        }
                        shapes.push(Shape::Path { points, width: 1.4, colour });
                    }
                }
            }
        }
        // Its words are told by the figure as a whole.
        slab.shapes.extend(shapes.into_iter().map(|shape| (Some(element), shape)));
        self.slabs.push(slab);
    }

    fn colour(&self, n: usize) -> Colour {
        if n == 0 { self.accent } else { COLOURS[(n - 1) % COLOURS.len()] }
    }

    /// Colours and names; how high that is.
    fn legend(&self, chart: &Chart, shapes: &mut Vec<Shape>) -> f32 {
        if chart.series.len() < 2 {
            return 0.0;
        }
        let (mut x, mut y) = (self.x, 24.0);
        for (n, series) in chart.series.iter().enumerate() {
            let wide = width(&series.name, REGULAR, SIZE) + 24.0;
            if x + wide > self.x + self.width && x > self.x {
                (x, y) = (self.x, y + 11.0);
            }
            shapes.push(Shape::Box { x, y: y - 6.0, width: 6.5, height: 6.5, colour: self.colour(n) });
            shapes.push(words(&series.name, x + 10.0, y, SIZE, REGULAR, INK));
            x += wide;
        }
        y - 10.0
    }

    /// As many labels as there is room for.
    fn labels(&self, chart: &Chart, shapes: &mut Vec<Shape>, left: f32, slot: f32, y: f32) {
        let widest = chart.labels.iter().map(|label| width(label, REGULAR, SIZE)).fold(1.0, f32::max) + 4.0;
        let every = ((widest / slot).ceil() as usize).max(1);
        for (n, label) in chart.labels.iter().enumerate().step_by(every) {
            let x = left + slot * (n as f32 + 0.5) - width(label, REGULAR, SIZE) / 2.0;
            shapes.push(words(label, x, y, SIZE, REGULAR, GREY));
        }
    }
}
