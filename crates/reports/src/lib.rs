//! Everything that is printed: one tree of blocks becomes PDF and DOCX, one workbook becomes XLSX, with the tenant's
//! logo, colour and language. No IO, no clock, no chance: the same input gives the same bytes.

mod append;
mod chart;
mod document;
mod docx;
mod error;
mod flow;
mod font;
mod grid;
mod image;
pub mod language;
pub mod markup;
mod package;
mod pages;
mod pdf;
mod shape;
mod text;
mod workbook;
mod xlsx;

pub use append::append;
pub use chart::{Chart, ChartKind, Series};
pub use document::{Align, Block, Brand, Cell, Colour, Document, Page, Paper, Run, Table};
pub use docx::docx;
pub use error::Error;
pub use image::Image;
pub use language::Language;
pub use pdf::{page_count, pdf};
pub use workbook::{Column, Kind, Sheet, Value, Workbook};
pub use xlsx::xlsx;
